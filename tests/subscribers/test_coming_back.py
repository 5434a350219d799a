"""Fewer mails in place of leaving, and taking back having left: what lifecycle allows."""

from datetime import timedelta

import pytest

from subscribers import lifecycle
from subscribers.consent import Trace, binding_of
from subscribers.lifecycle import NotSubscribedError
from subscribers.models import Subscriber, Suppression
from tests.cast import NOON, a_reader

pytestmark = pytest.mark.django_db

PAGE = Trace("goodbye page")
MINUTE = timedelta(minutes=1)
#: Moments of the day have microseconds, links have not.
LEFT = NOON + timedelta(microseconds=654_321)
Status = Subscriber.Status


def leave(reader: Subscriber) -> bool:
    return lifecycle.unsubscribe(reader.public_id, at=LEFT, trace=PAGE)


def resume(reader: Subscriber) -> bool:
    return lifecycle.resume(reader.public_id, left_at=NOON, at=NOON + MINUTE, trace=PAGE)


def status(reader: Subscriber) -> str:
    reader.refresh_from_db()
    return reader.status


def events(reader: Subscriber) -> list[str]:
    return list(reader.consent_events.order_by("pk").values_list("kind", flat=True))


def test_having_left_is_taken_back_once_and_logged() -> None:
    reader = a_reader("ada@example.org", frequency="weekly", size=25)
    assert leave(reader)
    assert resume(reader)
    assert resume(reader), "pressed twice it says the same"
    assert status(reader) == Status.ACTIVE
    assert (reader.status_at, reader.frequency, reader.size) == (NOON + MINUTE, "weekly", 25)
    assert reader.confirmed_at == NOON - timedelta(days=10), "else they would be welcomed anew"
    assert events(reader) == ["withdrawn", "resumed"]


def test_leaving_says_whether_there_was_something_to_take_back() -> None:
    assert leave(a_reader("ada@example.org"))
    for other in (Status.PENDING, Status.SUPPRESSED, Status.UNSUBSCRIBED):
        assert not leave(a_reader(f"{other}@example.org", status=other))
    assert not lifecycle.unsubscribe("nobody", at=LEFT, trace=PAGE)


def test_only_the_last_step_is_taken_back() -> None:
    reader = a_reader("ada@example.org")
    leave(reader)
    resume(reader)
    lifecycle.unsubscribe(reader.public_id, at=NOON + 2 * MINUTE, trace=PAGE)
    assert not resume(reader), "an older link than the last leaving"
    assert status(reader) == Status.UNSUBSCRIBED


def test_who_left_long_ago_is_not_brought_back() -> None:
    reader = a_reader("ada@example.org", status=Status.UNSUBSCRIBED)
    assert not resume(reader)
    assert events(reader) == []


def test_who_asked_anew_since_has_to_confirm() -> None:
    reader = a_reader("ada@example.org")
    leave(reader)
    lifecycle.sign_up("ada@example.org", [], at=NOON + MINUTE, trace=PAGE)
    assert status(reader) == Status.PENDING
    assert not resume(reader)
    assert status(reader) == Status.PENDING


def test_a_suppressed_address_is_not_brought_back() -> None:
    reader = a_reader("ada@example.org")
    leave(reader)
    lifecycle.suppress(reader.address_hash, Suppression.Reason.COMPLAINT, "test", at=NOON)
    assert not resume(reader)
    assert status(reader) == Status.UNSUBSCRIBED


def test_nobody_comes_back_for_nobody() -> None:
    assert not lifecycle.resume("nobody", left_at=NOON, at=NOON, trace=PAGE)


def test_the_proof_of_coming_back_names_the_wording_agreed_to() -> None:
    lifecycle.sign_up("ada@example.org", [], at=NOON - MINUTE, trace=PAGE)
    reader = Subscriber.objects.get()
    lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON - MINUTE, trace=PAGE)
    leave(reader)
    resume(reader)
    asked, resumed = (reader.consent_events.get(kind=kind) for kind in ("requested", "resumed"))
    assert resumed.text == asked.text is not None


def test_once_a_week_keeps_the_day_and_is_logged_once() -> None:
    reader = a_reader("ada@example.org", weekday=4)
    for _ in range(2):
        lifecycle.read_weekly(reader.public_id, at=NOON, trace=PAGE)
    reader.refresh_from_db()
    assert (reader.frequency, reader.weekday, reader.status) == ("weekly", 4, Status.ACTIVE)
    assert events(reader) == ["changed"]


@pytest.mark.parametrize("other", sorted(set(Status) - {Status.ACTIVE}))
def test_only_a_subscription_can_send_less(other: Subscriber.Status) -> None:
    reader = a_reader("ada@example.org", status=other)
    with pytest.raises(NotSubscribedError):
        lifecycle.read_weekly(reader.public_id, at=NOON, trace=PAGE)
