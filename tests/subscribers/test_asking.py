"""How often an address is asked to confirm, whatever becomes of its reader's row."""

from datetime import timedelta

import pytest

from subscribers import lifecycle
from subscribers.asking import may_ask
from subscribers.consent import Trace, binding_of
from subscribers.models import ConsentEvent, Subscriber, SystemMail
from tests.cast import NOON, a_topic

pytestmark = pytest.mark.django_db

ADDRESS = "ada@example.org"
TRACE = Trace("test")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Status, Kind = Subscriber.Status, SystemMail.Kind


def ask(at: timedelta, address: str = ADDRESS, **fields: str) -> bool:
    """Sign up; return whether that wrote a confirmation mail."""
    before = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.REQUESTED).count()
    lifecycle.sign_up(address, [], at=NOON + at, trace=TRACE, **fields)  # type: ignore[arg-type]
    return ConsentEvent.objects.filter(kind=ConsentEvent.Kind.REQUESTED).count() > before


def ada() -> Subscriber:
    return Subscriber.objects.get(address_key=ADDRESS)


def ada_or_none() -> Subscriber | None:
    return Subscriber.objects.filter(address_key=ADDRESS).first()


def confirm(at: timedelta) -> None:
    assert lifecycle.confirm(ada().public_id, binding_of(ada()), at=NOON + at, trace=TRACE)


def leave(at: timedelta) -> None:
    lifecycle.unsubscribe(ada().public_id, at=NOON + at, trace=TRACE)


def test_who_does_not_answer_is_asked_once_a_day_and_three_times_a_year() -> None:
    asked = [hours for hours in range(0, 24 * 30, 3) if ask(hours * HOUR)]
    assert asked == [0, 24, 48]
    assert SystemMail.objects.count() == 3
    assert not ask(364 * DAY)
    assert ask(365 * DAY), "the first of the three is a year old"


def test_rows_that_are_deleted_still_count() -> None:
    asked = 0
    for days in range(10):
        asked += ask(days * DAY)
        Subscriber.objects.all().delete()
    assert asked == 3
    assert not Subscriber.objects.exists()


def test_an_address_that_cannot_be_asked_leaves_no_row_behind() -> None:
    for days in range(3):
        ask(days * DAY)
    Subscriber.objects.all().delete()
    assert not ask(9 * DAY)
    assert not Subscriber.objects.exists()


def test_other_spellings_are_the_same_mailbox_and_a_plus_tag_is_another() -> None:
    assert ask(0 * HOUR, "Ada@EXAMPLE.org")
    assert not ask(1 * HOUR, "aDA@example.org")
    assert ask(1 * HOUR, "ada+papers@example.org")


def test_a_confirmation_settles_what_was_asked_before() -> None:
    for days in range(3):
        assert ask(days * DAY)
    confirm(2 * DAY + HOUR)
    leave(2 * DAY + 2 * HOUR)
    assert ask(2 * DAY + 3 * HOUR), "left, and back at once"


def test_who_leaves_without_having_confirmed_is_asked_no_sooner_and_no_oftener() -> None:
    asked = []
    for hours in range(80):
        if ask(hours * HOUR):
            asked.append(hours)
        if ada_or_none():
            leave(hours * HOUR + HOUR / 2)
    assert asked == [0, 24, 48]
    assert ada().status == Status.UNSUBSCRIBED, "nobody waits for a mail that will not come"


def test_a_wish_made_before_its_reader_left_or_was_erased_is_void() -> None:
    ask(0 * HOUR)
    confirm(1 * HOUR)
    leave(3 * HOUR)
    assert not ask(2 * HOUR)
    assert ada().status == Status.UNSUBSCRIBED
    lifecycle.erase(ada().public_id, at=NOON + 5 * HOUR, trace=TRACE)
    assert not ask(4 * HOUR)
    assert not Subscriber.objects.exists()
    assert ask(6 * HOUR)


def test_one_asked_too_often_may_still_change_what_was_asked_for() -> None:
    ask(0 * HOUR)
    lifecycle.sign_up(ADDRESS, [a_topic("vision")], ["kites"], at=NOON + HOUR, trace=TRACE)
    assert [p.topic.slug for p in ada().preferences.all()] == ["vision"]
    assert SystemMail.objects.count() == 1


def test_the_zone_is_that_of_the_newest_wish_until_it_is_confirmed() -> None:
    ask(0 * HOUR, time_zone="Europe/Paris")
    assert ada().time_zone == "Europe/Paris"
    for none in ("", "Mars/Olympus", "../../etc/passwd"):
        ask(1 * HOUR, time_zone=none)
        assert ada().time_zone == "Europe/Paris"
    ask(2 * HOUR, time_zone="Asia/Tokyo")
    confirm(3 * HOUR)
    ask(4 * HOUR, time_zone="America/Lima")
    assert ada().time_zone == "Asia/Tokyo", "a stranger's form changes nothing for one who reads"
    leave(5 * HOUR)
    ask(6 * HOUR, time_zone="America/Lima")
    assert (ada().time_zone, ada().status) == ("America/Lima", Status.PENDING)


def test_nobody_else_s_history_counts() -> None:
    for days in range(3):
        ask(days * DAY, "eve@example.org")
    assert ask(3 * DAY)
    assert may_ask("1:unknown", NOON)
