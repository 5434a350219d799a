"""What a curator does to readers and the suppression list: asked first, by the one way there is, logged."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from subscribers import lifecycle
from subscribers.addresses import address_hash
from subscribers.admin import asking_first
from subscribers.admin.deeds import DEEDS
from subscribers.models import ConsentEvent, Subscriber, Suppression
from tests.cast import NOON, a_reader
from tests.subscribers.desk.conftest import may

pytestmark = pytest.mark.django_db

READERS = reverse("admin:subscribers_subscriber_changelist")
LIST = reverse("admin:subscribers_suppression_changelist")
Status = Subscriber.Status


def post(client: Client, where: str, action: str, *pks: int, **more: str) -> str:
    answer = client.post(where, {"action": action, "_selected_action": pks, **more}, follow=True)
    return answer.content.decode()


def do(client: Client, where: str, action: str, *pks: int, **more: str) -> str:
    return post(client, where, action, *pks, confirmed="yes", **more)


@pytest.mark.parametrize("action", ["unsubscribe", "suppress", "erase"])
def test_a_deed_is_asked_about_before_it_is_done(curator: Client, action: str) -> None:
    reader = a_reader("ada@example.org")
    page = post(curator, READERS, action, reader.pk)
    assert f"{DEEDS[action].question}</h2>" in page
    assert "a•••@example.org, active" in page
    assert f'name="_selected_action" value="{reader.pk}"' in page
    assert Subscriber.objects.get().status == Status.ACTIVE
    assert not ConsentEvent.objects.exists()
    assert not LogEntry.objects.exists()


def test_unsubscribing_leaves_a_trace_of_the_desk(curator: Client) -> None:
    readers = [a_reader(), a_reader()]
    other = a_reader()
    assert "2 readers unsubscribed." in do(curator, READERS, "unsubscribe", *(each.pk for each in readers))
    assert Subscriber.objects.filter(status=Status.UNSUBSCRIBED).count() == 2
    assert list(ConsentEvent.objects.values_list("kind", "source")) == [("withdrawn", "admin")] * 2
    assert Subscriber.objects.get(pk=other.pk).status == Status.ACTIVE
    logged = LogEntry.objects.all()
    assert {(entry.user.get_username(), entry.change_message) for entry in logged} == {
        ("curator", "unsubscribed")
    }


def test_erasing_keeps_the_proof_and_names_nobody_in_the_log(curator: Client) -> None:
    reader = a_reader("ada@example.org")
    assert "1 reader erased." in do(curator, READERS, "erase", reader.pk)
    assert not Subscriber.objects.exists()
    assert ConsentEvent.objects.get().kind == ConsentEvent.Kind.ERASED
    entry = LogEntry.objects.get()
    assert entry.object_repr == f"reader {reader.public_id}"
    assert "ada" not in entry.object_repr + entry.change_message


def test_who_is_never_to_be_mailed_again_is_on_the_list(curator: Client) -> None:
    reader = a_reader("ada@example.org")
    do(curator, READERS, "suppress", reader.pk)
    assert Subscriber.objects.get().status == Status.SUPPRESSED
    row = Suppression.objects.get()
    assert (row.address_hash, row.reason, row.source) == (reader.address_hash, "request", "admin")


def test_a_readers_page_offers_the_deeds_to_who_may_do_them(curator: Client, newcomer: User) -> None:
    page = reverse("admin:subscribers_subscriber_change", args=[a_reader().pk])
    shown = curator.get(page).content.decode()
    assert shown.count('name="_selected_action"') == 3
    onlooker = may(newcomer, "view_subscriber").get(page).content.decode()
    assert 'name="_selected_action"' not in onlooker
    assert 'value="erase"' not in onlooker


@pytest.mark.parametrize("action", ["unsubscribe", "suppress", "erase"])
def test_who_may_only_look_can_do_nothing(newcomer: User, action: str) -> None:
    reader = a_reader()
    do(may(newcomer, "view_subscriber"), READERS, action, reader.pk)
    assert Subscriber.objects.get().status == Status.ACTIVE
    assert not Suppression.objects.exists()


def test_more_than_a_hundred_at_once_are_refused(curator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking_first, "MOST_AT_ONCE", 2)
    readers = [a_reader().pk for _ in range(3)]
    assert "Choose 2 readers at most. Nothing was done." in do(curator, READERS, "erase", *readers)
    assert Subscriber.objects.count() == 3


def add(client: Client, address: str, reason: str = "complaint") -> str:
    where = reverse("admin:subscribers_suppression_add")
    return client.post(where, {"address": address, "reason": reason}, follow=True).content.decode()


def test_an_address_typed_in_is_stored_as_its_hash_and_stops_its_reader(curator: Client) -> None:
    reader = a_reader("ada@example.org")
    add(curator, "ADA@example.org")
    row = Suppression.objects.get()
    assert (row.address_hash, row.reason, row.source) == (reader.address_hash, "complaint", "admin")
    reader.refresh_from_db()
    assert reader.status == Status.SUPPRESSED
    entry = LogEntry.objects.get()
    assert "ada@" not in f"{entry.object_repr} {entry.change_message}".lower()


def test_an_address_on_the_list_already_is_no_error_and_a_bad_one_is_said(curator: Client) -> None:
    lifecycle.suppress(address_hash("ada@example.org"), Suppression.Reason.COMPLAINT, "webhook", at=NOON)
    add(curator, "ada@example.org", "request")
    row = Suppression.objects.get()
    assert (row.reason, row.source) == ("complaint", "webhook")
    assert "looks like name@example.org" in add(curator, "ada")
    assert Suppression.objects.count() == 1


def test_an_address_comes_off_the_list_with_a_reason_that_is_kept(curator: Client) -> None:
    reader = a_reader("ada@example.org")
    lifecycle.suppress(reader.address_hash, Suppression.Reason.BOUNCE, "webhook", at=NOON)
    row = Suppression.objects.get()
    assert "Why do they come off the list?" in post(curator, LIST, "lift", row.pk)
    assert "This field is required" in do(curator, LIST, "lift", row.pk)
    assert "say it without an address" in do(curator, LIST, "lift", row.pk, why="ada@example.org asked")
    assert Suppression.objects.exists()
    assert "1 taken off the list." in do(curator, LIST, "lift", row.pk, why="Their mailbox works again.")
    assert not Suppression.objects.exists()
    reader.refresh_from_db()
    assert reader.status == Status.UNSUBSCRIBED
    assert LogEntry.objects.get().change_message == "Their mailbox works again."


def test_a_row_of_the_list_is_neither_edited_nor_deleted_without_a_reason(curator: Client) -> None:
    lifecycle.suppress(address_hash("ada@example.org"), Suppression.Reason.BOUNCE, "webhook", at=NOON)
    pk = Suppression.objects.get().pk
    shown = reverse("admin:subscribers_suppression_change", args=[pk])
    assert "webhook" in curator.get(shown).content.decode()
    assert curator.post(shown, {"address": "eve@example.org", "reason": "request"}).status_code == 403
    assert curator.post(reverse("admin:subscribers_suppression_delete", args=[pk])).status_code == 403
    do(curator, LIST, "delete_selected", pk)
    assert Suppression.objects.get().reason == "bounce"


def test_who_may_not_delete_takes_nobody_off_the_list(newcomer: User) -> None:
    lifecycle.suppress(address_hash("ada@example.org"), Suppression.Reason.BOUNCE, "webhook", at=NOON)
    browser = may(newcomer, "view_suppression", "add_suppression")
    do(browser, LIST, "lift", Suppression.objects.get().pk, why="I may not.")
    assert Suppression.objects.exists()
