"""The account behind a fresh link: what it shows, to whom, and what stays after erasing."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from subscribers import lifecycle
from subscribers.addresses import address_hash
from subscribers.models import AddressChange, ConsentEvent, Interest, Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader, a_topic
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.door.presses import account_of, link_in_mail, moving, undoing
from tests.subscribers.door.visits import (
    ONE_CLICK,
    TRACE,
    choosing,
    confirming,
    kept_private,
    snapshot,
    unsubscribing,
)

pytestmark = pytest.mark.django_db

Status, Kind = Subscriber.Status, SystemMail.Kind


def test_the_choices_lead_to_the_account_by_a_fresh_mail_alone(client: Client, smtp_sink: SmtpSink) -> None:
    reader = a_reader("ada@example.org")
    page = client.get(choosing(reader)).content.decode()
    assert "Mail me a link" in page
    assert "/account/" not in page, "the link of an old mail must not open what a fresh one is asked for"
    pressed = client.post(choosing(reader) + "?form=account")
    assert pressed.status_code == 303
    said = client.get(pressed["Location"].partition("#")[0]).content.decode()
    assert "A mail with the link is on its way to a•••@example.org" in said
    assert "/account/" not in said
    account = client.get(link_in_mail(smtp_sink, "ada@example.org", "account"))
    assert (account.status_code, "a•••@example.org" in account.content.decode()) == (200, True)
    assert "ada@" not in account.content.decode()
    assert kept_private(account)


def test_a_second_link_within_ten_minutes_and_a_sixth_a_day_are_not_mailed_and_said_not_to_be(
    client: Client,
) -> None:
    reader = a_reader("ada@example.org", time_zone="Asia/Kolkata")

    def ask() -> str:
        pressed = client.post(choosing(reader) + "?form=account")
        return client.get(pressed["Location"].partition("#")[0]).content.decode()

    assert "is on its way to a•••@example.org" in ask()
    assert "We mailed one a moment ago (at 17:30)" in ask()
    assert SystemMail.objects.filter(kind=Kind.ACCOUNT).count() == 1
    for hour in range(1, 5):
        with time_machine.travel(NOON + timedelta(hours=hour), tick=False):
            assert "is on its way" in ask()
    with time_machine.travel(NOON + timedelta(hours=6), tick=False):
        assert "Five links were mailed" in ask()
    assert SystemMail.objects.filter(kind=Kind.ACCOUNT).count() == 5


def test_an_account_link_is_good_for_half_an_hour(client: Client) -> None:
    reader = a_reader("ada@example.org")
    with time_machine.travel(NOON + timedelta(minutes=29, seconds=59)):
        assert client.get(account_of(reader)).status_code == 200
    with time_machine.travel(NOON + timedelta(minutes=30)):
        for send in (client.get, client.post):
            for what in ("", "?do=erase", "?do=address"):
                late = send(account_of(reader) + what, {"address": "new@example.org"})
                assert (late.status_code, "too old" in late.content.decode()) == (410, True)
    assert Subscriber.objects.exists()
    assert not AddressChange.objects.exists()


@pytest.mark.parametrize("status", list(Status))
def test_who_has_left_or_never_confirmed_can_be_erased_but_not_move(
    client: Client, status: Subscriber.Status
) -> None:
    reader = a_reader("ada@example.org", status=status)
    page = client.get(account_of(reader)).content.decode()
    assert "Erase everything about me" in page
    assert ("Change my address" in page) == (status == Status.ACTIVE)
    moved = client.post(account_of(reader) + "?do=address", {"address": "new@example.org"})
    assert moved.status_code == (303 if status == Status.ACTIVE else 410)
    assert client.post(account_of(reader) + "?do=erase").status_code == 200
    assert not Subscriber.objects.exists()


def test_the_page_says_before_the_button_what_goes_and_what_stays(client: Client) -> None:
    page = client.get(account_of(a_reader("ada@example.org"))).content.decode()
    goes, stays, button = (
        page.index(words) for words in ("Erased, at once", "What stays:", "Erase everything about me")
    )
    assert goes < stays < button
    assert "<details>" in page[:goes], "a second step: nobody erases themselves by one slip"


def test_erasing_leaves_the_proof_and_the_suppression_and_nothing_of_the_reader(client: Client) -> None:
    reader = a_reader("ada@example.org", a_topic("vision"))
    Interest.objects.create(subscriber=reader, kind=Interest.Kind.WORDS, text="secret hobby")
    client.post(account_of(reader) + "?do=address", {"address": "new@example.org"})
    lifecycle.suppress(reader.address_hash, Suppression.Reason.COMPLAINT, "test", at=NOON)
    gone = client.post(account_of(reader) + "?do=erase")
    assert (gone.status_code, "is erased" in gone.content.decode()) == (200, True)
    for trace in ("ada", "secret hobby", "new@example.org", reader.public_id):
        assert trace not in snapshot()
    assert not AddressChange.objects.exists()
    kept = ConsentEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kept) == ["requested", "erased"]
    assert ConsentEvent.objects.latest("pk").source == "account page"
    assert Suppression.objects.get().address_hash == reader.address_hash


def test_after_erasing_every_old_link_is_answered_kindly_and_unsubscribing_as_ever(client: Client) -> None:
    reader = a_reader("ada@example.org")
    links = [
        account_of(reader),
        choosing(reader),
        confirming(reader),
        undoing(reader),
        moving(reader, "1:" + "0" * 64),
    ]
    assert client.post(account_of(reader) + "?do=erase").status_code == 200
    after = snapshot()
    for link in links:
        for send in (client.get, client.post):
            assert send(link).status_code == 410
    assert client.post(account_of(reader) + "?do=erase").status_code == 410, "pressed again"
    for what in ("", "?page", "?do=weekly", "?do=pause&days=14", "?do=account"):
        assert client.get(unsubscribing(reader) + what).status_code == 200
        assert client.post(unsubscribing(reader) + what, ONE_CLICK).status_code == 200
    assert client.post(choosing(reader) + "?form=account").status_code == 303, "it tells nobody who is gone"
    assert snapshot() == after


def test_an_erased_reader_may_come_back_as_new(client: Client) -> None:
    reader = a_reader("ada@example.org")
    client.post(account_of(reader) + "?do=erase")
    lifecycle.sign_up("ada@example.org", [], at=NOON + timedelta(hours=1), trace=TRACE)
    assert Subscriber.objects.get().status == Status.PENDING


def test_without_a_press_nothing_is_erased(client: Client) -> None:
    reader = a_reader("ada@example.org")
    before = snapshot()
    for what in ("?do=erase", "?do=address&address=new@example.org", "?saved=address&at=1"):
        assert client.get(account_of(reader) + what).status_code == 200
        assert client.head(account_of(reader) + what).status_code == 200
    assert snapshot() == before


def test_a_waiting_change_is_shown_masked_and_can_be_cancelled(client: Client) -> None:
    reader = a_reader("ada@example.org")
    assert "waiting for its owner" not in client.get(account_of(reader)).content.decode()
    client.post(account_of(reader) + "?do=address", {"address": "new@there.example.org"})
    page = client.get(account_of(reader)).content.decode()
    assert "n•••@there.example.org is waiting for its owner’s press" in page
    assert "new@there" not in page
    pressed = client.post(account_of(reader) + "?do=stay")
    page = client.get(pressed["Location"]).content.decode()
    assert ("Nothing is changed." in page, "waiting for its owner" in page) == (True, False)
    assert not AddressChange.objects.exists()
    assert client.post(moving(reader, address_hash("new@there.example.org"))).status_code == 410
