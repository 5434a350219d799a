"""What mails in a mailbox that a reader has moved away from still open: the way out, and nothing else."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from subscribers import address_changes, links
from subscribers.addresses import address_hash
from subscribers.models import ConsentEvent, Subscriber, SystemMail
from tests.cast import NOON, a_reader
from tests.subscribers.door.presses import account_of
from tests.subscribers.door.visits import (
    ONE_CLICK,
    TRACE,
    choices,
    choosing,
    confirming,
    path,
    pending,
    snapshot,
    unsubscribing,
)

pytestmark = pytest.mark.django_db

NEW = "ada@new.example.org"
MICROSECOND = timedelta(microseconds=1)
#: Within one second: a link, the change, a link.
CHANGE = NOON + timedelta(microseconds=500_000)


def moved(reader: Subscriber) -> Subscriber:
    address_changes.ask(reader.public_id, NEW, at=NOON, trace=TRACE)
    binding = links.address_binding(address_hash(NEW))
    assert address_changes.agree(reader.public_id, binding, at=CHANGE, trace=TRACE)
    reader.refresh_from_db()
    return reader


@pytest.mark.parametrize("before", [MICROSECOND, timedelta(milliseconds=500), timedelta(minutes=20)])
def test_links_made_before_the_change_open_neither_choices_nor_account_nor_data(
    client: Client, before: timedelta
) -> None:
    reader = moved(a_reader("ada@example.org"))
    account = account_of(reader, CHANGE - before)
    preferences = path(links.preferences_url(reader.public_id, CHANGE - before))
    kept = snapshot()
    with time_machine.travel(CHANGE + timedelta(seconds=1), tick=False):
        for link in (
            account,
            account + "/data",
            account + "?do=erase",
            preferences,
            preferences + "?form=account",
        ):
            for answer in (client.get(link), client.post(link, choices())):
                assert (answer.status_code, "before the address changed" in answer.content.decode()) == (
                    410,
                    True,
                )
                assert "new.example.org" not in answer.content.decode()
    assert snapshot() == kept
    assert not SystemMail.objects.filter(kind=SystemMail.Kind.ACCOUNT).exists()


def test_links_made_after_the_change_work_within_the_same_second(client: Client) -> None:
    reader = moved(a_reader("ada@example.org"))
    after = CHANGE + MICROSECOND
    with time_machine.travel(after, tick=False):
        account = account_of(reader, after)
        for link in (account, account + "/data", path(links.preferences_url(reader.public_id, after))):
            assert client.get(link).status_code == 200


def test_a_token_that_says_whole_seconds_opens_until_the_change_and_not_after(client: Client) -> None:
    reader = a_reader("ada@example.org")
    sign = links._sign
    old = f"/preferences/{sign(links.Purpose.PREFERENCES, reader.public_id, str(int(NOON.timestamp())))}"
    assert client.get(old).status_code == 200
    moved(reader)
    assert client.get(old).status_code == 410


def test_a_change_of_one_reader_closes_no_other_readers_links(client: Client) -> None:
    other = a_reader("ben@example.org")
    moved(a_reader("ada@example.org"))
    assert client.get(choosing(other)).status_code == client.get(account_of(other)).status_code == 200


def test_the_way_out_in_an_old_mail_goes_on_working(client: Client) -> None:
    reader = moved(a_reader("ada@example.org"))
    assert client.post(unsubscribing(reader), ONE_CLICK).status_code == 200
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.UNSUBSCRIBED


def test_an_old_confirmation_leads_the_old_mailbox_to_no_choices(client: Client) -> None:
    reader = pending()
    link = confirming(reader)
    assert client.post(link).status_code == 200
    moved(reader)
    events = ConsentEvent.objects.count()
    for answer in (client.get(link), client.post(link)):
        assert (answer.status_code, "/preferences/" in answer.content.decode()) == (410, False)
    assert ConsentEvent.objects.count() == events
