"""A new address, from the account page to the press in the new mailbox, through real mails."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from subscribers import lifecycle, outbox
from subscribers.addresses import address_hash, masked
from subscribers.models import AddressChange, Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.door.presses import account_of, link_in_mail, moving
from tests.subscribers.door.visits import ONE_CLICK, kept_private, snapshot, unsubscribing

pytestmark = pytest.mark.django_db

OLD, NEW = "ada@example.org", "ada@new.example.org"


def ask(client: Client, reader: Subscriber, address: str = NEW) -> str:
    """Ask for `address` on the account page and return what the page says then."""
    asked = client.post(account_of(reader) + "?do=address", {"address": address})
    assert asked.status_code == 303
    page = client.get(asked["Location"])
    assert page.status_code == 200
    return page.content.decode()


def address_of(reader: Subscriber) -> str:
    reader.refresh_from_db()
    return reader.address


def test_both_ends_agree_and_the_old_one_gets_a_last_notice(client: Client, smtp_sink: SmtpSink) -> None:
    reader = a_reader(OLD)
    assert "a mail is on its way there" in ask(client, reader)
    assert address_of(reader) == OLD
    link = link_in_mail(smtp_sink, NEW, "address")
    shown = client.get(link)
    assert "a•••@new.example.org" in shown.content.decode()
    assert kept_private(shown)
    assert address_of(reader) == OLD, "a look is no press"
    pressed = client.post(link)
    assert (pressed.status_code, "It comes here now" in pressed.content.decode()) == (200, True)
    assert address_of(reader) == NEW
    outbox.deliver_due(at=NOON)
    assert [each.recipients for each in smtp_sink.received] == [(NEW,), (OLD,)]
    for again in (client.get(link), client.post(link)):
        assert "It comes here now" in again.content.decode()
    assert SystemMail.objects.filter(kind=SystemMail.Kind.ADDRESS_CHANGED).count() == 1


def test_the_page_says_the_same_whoever_has_the_address(client: Client) -> None:
    a_reader("active@example.org")
    a_reader("left@example.org", status=Subscriber.Status.UNSUBSCRIBED)
    lifecycle.suppress(address_hash("never@example.org"), Suppression.Reason.COMPLAINT, "test", at=NOON)
    pages = set()
    for address in ("unknown@example.org", "active@example.org", "left@example.org", "never@example.org"):
        reader = a_reader(f"asking-{address}")
        page = ask(client, reader, address)
        for own in (account_of(reader), account_of(reader).rpartition("/")[2]):
            page = page.replace(own, "LINK")
        pages.add(page.replace(f"{masked(address)} is waiting", "TYPED is waiting"))
        again = client.get(account_of(reader)).content.decode()
        assert address not in again
    assert len(pages) == 1
    assert list(SystemMail.objects.values_list("to", flat=True)) == ["unknown@example.org"]


def test_what_was_typed_wrong_stays_with_a_sentence(client: Client) -> None:
    reader = a_reader(OLD)
    for typed, sentence in (
        ("ada@", "looks like"),
        ("", "your new email"),
        ("ADA@example.org", "already"),
        ("ada@exa\x00mple.org", "Null characters"),
        ("ä" * 2000 + "@example.org", "at most"),
    ):
        response = client.post(account_of(reader) + "?do=address", {"address": typed})
        page = response.content.decode()
        assert (response.status_code, "Nothing is changed yet" in page) == (422, True)
        assert sentence in page
        if typed.isprintable():
            assert f'value="{typed}"' in page or not typed
    assert not AddressChange.objects.exists()


def test_a_link_to_a_new_address_is_good_for_a_day(client: Client, smtp_sink: SmtpSink) -> None:
    reader = a_reader(OLD)
    ask(client, reader)
    link = link_in_mail(smtp_sink, NEW, "address")
    with time_machine.travel(NOON + timedelta(hours=24)):
        assert client.get(link).status_code == client.post(link).status_code == 410
    assert address_of(reader) == OLD


def test_a_link_bound_to_another_address_or_another_reader_moves_nobody(client: Client) -> None:
    reader, other = a_reader(OLD), a_reader("ben@example.org")
    ask(client, reader)
    before = snapshot()
    for link in (moving(reader, address_hash("eve@example.org")), moving(other, address_hash(NEW))):
        assert client.get(link).status_code == client.post(link).status_code == 410
    assert snapshot() == before


def test_the_new_addresses_owner_can_refuse_by_one_click_without_ending_the_readers_subscription(
    client: Client, smtp_sink: SmtpSink
) -> None:
    reader = a_reader(OLD)
    ask(client, reader)
    refusal = link_in_mail(smtp_sink, NEW, "u")
    header = smtp_sink.to(NEW)[-1].message["List-Unsubscribe"]
    assert header.strip("<>").endswith(refusal), "the header's link and the one in the text are one"
    page = client.get(refusal).content.decode()
    assert page.count("<button") == 1
    assert "example.org" not in page.partition("<main")[2].partition("</main")[0], "nobody's address shows"
    for what in ("?do=weekly", "?do=account", "?do=pause&days=14", ""):
        assert client.post(refusal + what, ONE_CLICK).status_code == 200
    reader.refresh_from_db()
    assert (reader.status, reader.frequency, reader.paused_until) == ("active", "daily", None)
    assert not AddressChange.objects.exists()
    assert client.post(moving(reader, address_hash(NEW))).status_code == 410


def test_once_moved_the_link_in_the_mail_that_asked_unsubscribes(client: Client, smtp_sink: SmtpSink) -> None:
    reader = a_reader(OLD)
    ask(client, reader)
    own = link_in_mail(smtp_sink, NEW, "u")
    client.post(moving(reader, address_hash(NEW)))
    client.post(own, ONE_CLICK)
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.UNSUBSCRIBED


def test_links_of_mails_to_the_old_address_still_unsubscribe(client: Client) -> None:
    reader = a_reader(OLD)
    old = unsubscribing(reader)
    ask(client, reader)
    client.post(moving(reader, address_hash(NEW)))
    assert client.post(old, ONE_CLICK).status_code == 200
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.UNSUBSCRIBED
