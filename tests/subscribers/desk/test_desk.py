"""The curators' pages about readers: who sees them, that they change nothing, and that they stay quick."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from subscribers import lifecycle
from subscribers.admin import leaving
from subscribers.consent import Trace
from subscribers.models import ConsentEvent, Interest, LeavingReason, Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader, a_topic, the_wording
from tests.subscribers.desk.conftest import may

pytestmark = pytest.mark.django_db

MODELS = ["subscriber", "suppression", "consentevent", "consenttext", "systemmail", "leavingreason"]
READ_ONLY = [name for name in MODELS if name != "suppression"]
FIND, SPIKE = "admin:subscribers_subscriber_find", "admin:subscribers_spike"


def the_list(model: str) -> str:
    return reverse(f"admin:subscribers_{model}_changelist")


def furnish(count: int) -> None:
    """Give every list `count` rows, each with all it can point to."""
    topic, text = a_topic(), the_wording()
    for number in range(count):
        reader = a_reader("", topic)
        Interest.objects.create(subscriber=reader, kind="words", text="proof assistants")
        ConsentEvent.objects.create(
            subscriber=reader,
            address_hash=reader.address_hash,
            kind="requested",
            text=text,
            source="form",
            at=NOON,
        )
        SystemMail.objects.create(subscriber=reader, kind="confirm", created_at=NOON, not_before=NOON)
        lifecycle.suppress(f"1:{reader.pk}", Suppression.Reason.BOUNCE, "webhook", at=NOON)
        LeavingReason.objects.create(reason="other", words=f"Number {number}", at=NOON)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_asks_as_much_of_the_database_for_thirty_rows_as_for_three(
    curator: Client, model: str
) -> None:
    asked = []
    for count in (3, 27):
        furnish(count)
        curator.get(the_list(model))  # what is asked once a process is asked
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = curator.get(the_list(model))
        assert answer.status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1], f"{asked[1] - asked[0]} more for 27 rows more"
    assert asked[1] < 15


@pytest.mark.parametrize("model", MODELS)
def test_a_stranger_and_a_reader_without_a_desk_are_sent_to_the_login(client: Client, model: str) -> None:
    assert "/login/" in client.get(the_list(model))["Location"]
    client.force_login(User.objects.create_user("somebody", password="a-long-enough-word"))
    assert "/login/" in client.get(the_list(model))["Location"]


@pytest.mark.parametrize("model", MODELS)
def test_staff_without_permission_see_nothing(newcomer: User, model: str) -> None:
    furnish(1)
    browser = may(newcomer)
    assert browser.get(the_list(model)).status_code == 403
    assert browser.post(reverse(FIND), {"who": "ada@example.org"}).status_code == 403
    assert model not in browser.get("/admin/").content.decode()
    assert may(newcomer, f"view_{model}").get(the_list(model)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_nothing_can_be_added_changed_or_deleted_by_hand(curator: Client, model: str) -> None:
    furnish(1)
    pk = apps.get_model("subscribers", model)._base_manager.values_list("pk", flat=True)[0]
    shown = reverse(f"admin:subscribers_{model}_change", args=[pk])
    assert curator.get(shown).status_code == 200
    assert curator.post(shown, {"status": "active", "kind": "confirmed"}).status_code == 403
    assert curator.get(reverse(f"admin:subscribers_{model}_add")).status_code == 403
    for deed in ("get", "post"):
        gone = reverse(f"admin:subscribers_{model}_delete", args=[pk])
        assert getattr(curator, deed)(gone).status_code == 403
    answer = curator.post(
        the_list(model), {"action": "delete_selected", "_selected_action": [pk]}, follow=True
    )
    assert answer.status_code == 200
    assert Subscriber.objects.get().status == "active"
    assert LeavingReason.objects.count() == SystemMail.objects.count() == ConsentEvent.objects.count() == 1


def test_lists_mask_addresses(curator: Client) -> None:
    a_reader("ada.lovelace@example.org")
    page = curator.get(the_list("subscriber")).content.decode()
    assert "a•••@example.org" in page
    assert "ada.lovelace" not in page


def test_a_mail_to_another_address_shows_it_masked(curator: Client) -> None:
    mail = SystemMail.objects.create(
        subscriber=a_reader(), kind="new_address", to="new.me@example.org", created_at=NOON, not_before=NOON
    )
    page = curator.get(reverse("admin:subscribers_systemmail_change", args=[mail.pk])).content.decode()
    assert "n•••@example.org" in page
    assert "new.me" not in page


@pytest.mark.parametrize("given", ["ADA@Example.org", " ada@example.org ", "public id"])
def test_a_reader_is_found_by_exact_address_or_public_id(curator: Client, given: str) -> None:
    reader = a_reader("ada@example.org")
    lifecycle.unsubscribe(reader.public_id, at=NOON, trace=Trace("one-click"))
    who = reader.public_id if given == "public id" else given
    answer = curator.post(reverse(FIND), {"who": who})
    page = answer.content.decode()
    assert reverse("admin:subscribers_subscriber_change", args=[reader.pk]) in page
    assert "one-click" in page
    assert "Not on the list." in page
    assert "no-store" in answer["Cache-Control"]


def test_an_erased_address_is_found_by_its_hash_alone(curator: Client) -> None:
    reader = a_reader("ada@example.org")
    lifecycle.suppress(reader.address_hash, Suppression.Reason.COMPLAINT, "webhook", at=NOON)
    lifecycle.erase(reader.public_id, at=NOON, trace=Trace("account page"))
    page = curator.post(reverse(FIND), {"who": "ada@example.org"}).content.decode()
    assert "No reader has this address." in page
    assert "complaint, by webhook" in page
    assert "account page" in page


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("ada", "looks like name@example.org"),
        ("ada@localhost", "needs a dot"),
        ("a" * 22, "no reader with this public id"),
        ("", "This field is required"),
    ],
)
def test_what_cannot_be_looked_for_is_said_and_stays_typed(
    curator: Client, given: str, sentence: str
) -> None:
    answer = curator.post(reverse(FIND), {"who": given})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert f'value="{given}"' in answer.content.decode() or not given


def test_looking_changes_nothing(curator: Client) -> None:
    assert curator.get(reverse(FIND)).status_code == 200
    assert curator.get(reverse(FIND), {"who": "ada@example.org"}).content.count(b"ada@example.org") == 0


def test_reasons_are_counted_over_a_month_and_over_three(curator: Client) -> None:
    now = timezone.now()
    for reason, days in [("too_many", 1), ("too_many", 31), ("too_many", 91), ("other", 89), ("other", 2)]:
        LeavingReason.objects.create(reason=reason, at=now - timedelta(days=days))
    LeavingReason.objects.create(reason="other", at=now - timedelta(days=80))
    table = leaving.summary(now)
    assert table["rows"][:2] == [["Something else", 1, 3], ["Too many mails", 1, 2]]
    assert ["The papers did not fit me", 0, 0] in table["rows"]
    page = curator.get(the_list("leavingreason")).content.decode()
    assert "Why readers left" in page
    assert "Last 90 days" in page
