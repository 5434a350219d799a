"""Programs that enter somebody else's address, or everybody's."""

import pytest
from django.test import Client
from pytest_django import Settings

from subscribers import limits, outbox, signups
from subscribers.consent import Trace
from subscribers.limits import Room
from subscribers.models import SignupRequest, Subscriber, SystemMail
from subscribers.signups import Wish
from tests.cast import NOON, a_topic, the_wording
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.door.visits import sign_up, stamp

pytestmark = pytest.mark.django_db

VICTIM = "victim@example.org"


def nets(number: int) -> list[str]:
    """Return one address in each of `number` networks."""
    return [f"198.{18 + net // 256}.{net % 256}.7" for net in range(number)]


def worked_off() -> int:
    """Take all wishes in, run by run; return how many there were."""
    done = 0
    while taken := signups.take_in(at=NOON):
        done += taken
    return done


@pytest.mark.usefixtures("cache_server")
def test_ten_thousand_sign_ups_for_one_victim_from_a_thousand_nets_are_a_few_rows_and_one_mail(
    client: Client, smtp_sink: SmtpSink
) -> None:
    """250 by the web, where five pass; the whole 10,000 past the limits, as if there were none."""
    statuses = []
    form = {"address": VICTIM, "stamp": stamp()}
    for net in nets(250):
        client.defaults["REMOTE_ADDR"] = net
        statuses.append(client.post("/subscribe/", form).status_code)
    assert statuses == [303] * 250, "the bomber is told nothing, nor is the victim kept out"
    assert SignupRequest.objects.count() == 5
    wording = the_wording().pk
    for number in range(10_000):
        trace = Trace("signup form", nets(1_000)[number % 1_000])
        signups.receive(Wish(VICTIM, ("vision",), ("kites",), "", wording, trace), at=NOON)
    assert worked_off() == 10_005
    assert outbox.deliver_due(at=NOON) == 1
    assert [received.recipients for received in smtp_sink.received] == [(VICTIM,)]
    assert SystemMail.objects.count() == Subscriber.objects.count() == 1
    assert not SignupRequest.objects.exists()


@pytest.mark.usefixtures("cache_server")
def test_of_ten_thousand_victims_from_one_net_the_cap_is_taken_and_the_form_stays_up(
    client: Client, settings: Settings
) -> None:
    """250 by the web; all 10,000 at the limits themselves."""
    cap = settings.SIGNUPS_PER_NETWORK
    statuses = [sign_up(client, address=f"victim{number}@mail.example").status_code for number in range(250)]
    assert (statuses.count(303), statuses.count(429)) == (cap, 250 - cap)
    tries = (limits.admit(f"v{number}@m{number}.example", "127.0.0.1", at=NOON) for number in range(10_000))
    assert set(tries) == {Room.FULL}
    assert SignupRequest.objects.count() == cap
    assert client.get("/subscribe/").status_code == 200
    client.defaults["REMOTE_ADDR"] = "203.0.113.7"
    assert sign_up(client, address="ada@example.org").status_code == 303


@pytest.mark.usefixtures("cache_server")
def test_who_is_over_a_limit_is_told_when_to_come_again_and_loses_nothing(
    client: Client, settings: Settings
) -> None:
    settings.SIGNUPS_PER_NETWORK = 1
    vision = a_topic("vision")
    data = {"address": "ada@example.org", "topics": [vision.slug], "words": "kept words"}
    sign_up(client, **data)
    refused = sign_up(client, **data)
    page = refused.content.decode()
    assert (refused.status_code, refused["Retry-After"]) == (429, "3600")
    assert "Too many sign-ups come in just now. Please try again in an hour." in page
    assert "One thing needs another look" not in page
    for kept in ('value="ada@example.org"', "kept words", f'value="{vision.slug}" id='):
        assert kept in page
    assert "checked" in page
