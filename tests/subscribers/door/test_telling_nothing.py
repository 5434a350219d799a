"""Whatever is known of an address: the same statements, the same bytes."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from subscribers import lifecycle, signups
from subscribers.addresses import address_hash
from subscribers.models import SignupRequest, Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader, a_topic
from tests.subscribers.door.visits import pending, sign_up

pytestmark = pytest.mark.django_db

Status, Kind = Subscriber.Status, SystemMail.Kind
WHO = ("unknown", "pending", "active", "left", "bounced", "listed")


@pytest.fixture(autouse=True)
def _everybody() -> None:
    pending("pending@example.org")
    a_reader("active@example.org")
    a_reader("left@example.org", status=Status.UNSUBSCRIBED)
    a_reader("bounced@example.org", status=Status.SUPPRESSED)
    lifecycle.suppress(address_hash("listed@example.org"), Suppression.Reason.COMPLAINT, "test", at=NOON)


def asked(client: Client, who: str) -> tuple[list[str], object]:
    """Return the statements that a wish for `who` runs, its address cut out, and the answer as it is sent."""
    with CaptureQueriesContext(connection) as queries:
        response = sign_up(client, address=f"{who}@example.org", topics=["vision"], words="proof assistants")
    assert (response.status_code, len(response.cookies)) == (303, 0)
    wording = [q["sql"] for q in queries if "consenttext" not in q["sql"]]  # asked by the test's own stamp
    statements = [sql.replace(f"{who}@example.org", "ADDRESS") for sql in wording]
    return statements, (response.status_code, list(response.headers.items()), response.content)


@pytest.mark.parametrize("counting", ["with the cache", "without the cache"])
def test_a_wish_runs_the_same_statements_and_gets_the_same_bytes_whoever_it_is_for(
    client: Client, request: pytest.FixtureRequest, settings: Settings, counting: str
) -> None:
    a_topic("vision")
    if counting == "with the cache":
        request.getfixturevalue("cache_server")
    else:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
    everybody = [asked(client, who) for who in WHO]
    first_statements, first_bytes = everybody[0]
    for statements, answer in everybody[1:]:
        assert statements == first_statements
        assert answer == first_bytes
    kinds = [sql.partition(" ")[0] for sql in first_statements if "SAVEPOINT" not in sql]
    looks = 1 if counting == "with the cache" else 2  # topics on offer; how many wishes wait
    assert kinds == ["SELECT"] * looks + ["INSERT"]
    assert "subscribers_subscriber" not in "".join(first_statements)
    assert SignupRequest.objects.count() == len(WHO)


def test_only_the_worker_learns_who_it_was_and_only_the_mails_differ(client: Client) -> None:
    already = SystemMail.objects.count()
    for who in WHO:
        sign_up(client, address=f"{who}@example.org")
    assert SystemMail.objects.count() == already
    assert signups.take_in(at=NOON) == len(WHO)
    written = SystemMail.objects.order_by("pk").values_list("subscriber__address", "kind")[already:]
    assert list(written) == [
        ("unknown@example.org", Kind.CONFIRM),
        ("active@example.org", Kind.ALREADY_SUBSCRIBED),
        ("left@example.org", Kind.CONFIRM),
    ]


@pytest.mark.usefixtures("cache_server")
def test_an_address_entered_too_often_gets_the_same_answer_and_nothing_is_written_whoever_it_is(
    client: Client, settings: Settings
) -> None:
    """What counts is how often it was entered, so its statements differ from the first five's alone."""
    a_topic("vision")
    settings.SIGNUPS_PER_NETWORK = 100
    seen = []
    for who in WHO:
        tries = [asked(client, who) for _ in range(7)]
        assert {str(answer) for _, answer in tries} == {str(tries[0][1])}
        seen.append([statements for statements, _ in tries])
    assert all(each == seen[0] for each in seen)
    inserts = [any(sql.startswith("INSERT") for sql in statements) for statements in seen[0]]
    assert inserts == [True] * 5 + [False] * 2
    assert SignupRequest.objects.count() == 5 * len(WHO)


@pytest.mark.usefixtures("cache_server")
def test_an_owner_whose_address_strangers_entered_gets_their_one_mail_all_the_same(client: Client) -> None:
    for net in range(5):
        client.defaults["REMOTE_ADDR"] = f"198.51.{net}.7"
        sign_up(client, address="owner@example.org")
    client.defaults["REMOTE_ADDR"] = "203.0.113.7"
    assert sign_up(client, address="owner@example.org").status_code == 303
    signups.take_in(at=NOON)
    mails = SystemMail.objects.filter(subscriber__address="owner@example.org")
    assert [mail.kind for mail in mails] == [Kind.CONFIRM]
