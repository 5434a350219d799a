"""The kept figures: counted by the hour, closed by the next day, reckoned where nobody counted."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest import figures
from digest.models import DailyFigures, TopicFigures
from subscribers import address_changes, lifecycle, movements
from subscribers.addresses import address_hash
from subscribers.consent import MOVING, Trace, binding_of, record
from subscribers.links import address_binding
from subscribers.models import AddressChange, ConsentEvent, ImportJob, Subscriber, Suppression, Topic
from tests.cast import NOON, a_paper, a_reader, a_topic, the_wording

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = NOON.date()
BY_LINK = Trace("one-click")


def confirmed(address: str, *, at: datetime) -> Subscriber:
    """Return a reader who signed up and confirmed at `at`."""
    the_wording()
    lifecycle.sign_up(address, [], at=at, trace=Trace("signup form"))
    reader = Subscriber.objects.get(address=address)
    lifecycle.confirm(reader.public_id, binding_of(reader), at=at, trace=Trace("confirm link"))
    reader.refresh_from_db()
    return reader


def imported(*addresses: str, agreed_at: datetime, at: datetime) -> None:
    """Bring in readers by a file that says when they agreed, as `admitting` does."""
    job = ImportJob.objects.create(
        state=ImportJob.State.DONE,
        consent_source="At the fair.",
        name="fair.csv",
        digest="0",
        created_at=at,
        finished_at=at,
        counts={"new": len(addresses), "here": 3},
    )
    for address in addresses:
        reader = a_reader(address, status_at=at, created_at=agreed_at, confirmed_at=None)
        ConsentEvent.objects.create(
            subscriber=reader,
            address_hash=reader.address_hash,
            kind=ConsentEvent.Kind.IMPORTED,
            source="import",
            import_job=job,
            at=agreed_at,
        )


def of(day: date) -> tuple[int, int, int, int]:
    row = DailyFigures.objects.get(day=day)
    return row.active, row.joined, row.left, row.suppressed


def test_today_says_who_stands_where_and_who_came_and_went() -> None:
    confirmed("ada@example.org", at=NOON - 3 * HOUR)
    leaver = confirmed("ben@example.org", at=NOON - 3 * HOUR)
    bouncer = confirmed("cleo@example.org", at=NOON - 3 * HOUR)
    a_reader(status=Subscriber.Status.PENDING, confirmed_at=None)
    a_reader(paused_until=TODAY + DAY)
    a_reader(paused_until=TODAY - DAY)
    lifecycle.unsubscribe(leaver.public_id, at=NOON - HOUR, trace=BY_LINK)
    lifecycle.suppress(bouncer.address_hash, Suppression.Reason.BOUNCE, "events", at=NOON - HOUR)
    figures.keep_days(at=NOON)
    assert of(TODAY) == (3, 3, 1, 1)
    row = DailyFigures.objects.get(day=TODAY)
    assert (row.pending, row.paused, row.at) == (1, 1, NOON)


def test_counting_twice_is_counting_once_and_a_later_count_takes_the_earlier_ones_place() -> None:
    confirmed("ada@example.org", at=NOON)
    for _ in range(2):
        figures.keep(at=NOON + HOUR)
    assert of(TODAY) == (1, 1, 0, 0)
    assert DailyFigures.objects.count() == 1
    assert TopicFigures.objects.count() == Topic.objects.count()
    confirmed("ben@example.org", at=NOON + HOUR)
    figures.keep_days(at=NOON + 2 * HOUR)
    assert of(TODAY) == (2, 2, 0, 0)


def test_the_first_count_of_a_day_closes_the_day_before_and_later_ones_leave_it_alone() -> None:
    confirmed("ada@example.org", at=NOON)
    figures.keep_days(at=NOON)
    late = confirmed("ben@example.org", at=NOON + 11 * HOUR)
    confirmed("cleo@example.org", at=NOON + 12 * HOUR)  # after midnight
    assert figures.keep_days(at=NOON + 12 * HOUR + timedelta(minutes=10)) == 2
    assert of(TODAY) == (2, 2, 0, 0), "the last eleven hours of the day are in, those after it are not"
    assert of(TODAY + DAY) == (3, 1, 0, 0)
    assert DailyFigures.objects.get(day=TODAY).pending == 0, "as last seen on the day itself"
    lifecycle.erase(late.public_id, at=NOON + 13 * HOUR, trace=Trace("account page"))
    assert figures.keep_days(at=NOON + 14 * HOUR) == 1
    assert of(TODAY) == (2, 2, 0, 0)
    assert of(TODAY + DAY) == (2, 1, 1, 0)


def test_days_that_nobody_counted_on_are_reckoned_from_the_log() -> None:
    confirmed("ada@example.org", at=NOON - 6 * DAY)
    leaver = confirmed("ben@example.org", at=NOON - 5 * DAY)
    bouncer = confirmed("cleo@example.org", at=NOON - 5 * DAY)
    lifecycle.unsubscribe(leaver.public_id, at=NOON - 3 * DAY, trace=BY_LINK)
    lifecycle.suppress(bouncer.address_hash, Suppression.Reason.COMPLAINT, "events", at=NOON - 2 * DAY)
    figures.keep_days(at=NOON)
    assert [of(TODAY - n * DAY) for n in range(6, -1, -1)] == [
        (1, 1, 0, 0),
        (3, 2, 0, 0),
        (3, 0, 0, 0),
        (2, 0, 1, 0),
        (1, 0, 0, 1),
        (1, 0, 0, 0),
        (1, 0, 0, 0),
    ]
    assert DailyFigures.objects.count() == 7, "none from before anybody was here"
    reckoned = DailyFigures.objects.get(day=TODAY - 3 * DAY)
    assert (reckoned.pending, reckoned.paused) == (None, None), "what is not known is not said to be nought"


def test_a_gap_between_counted_days_is_filled_and_the_counted_ones_stay() -> None:
    confirmed("ada@example.org", at=NOON - 5 * DAY)
    for back in (5, 4):
        figures.keep_days(at=NOON - back * DAY)
    figures.keep_days(at=NOON - 4 * DAY + 13 * HOUR)  # closes the fourth day back
    closed = DailyFigures.objects.get(day=TODAY - 4 * DAY).at
    confirmed("ben@example.org", at=NOON - 2 * DAY)
    assert figures.keep_days(at=NOON) == 4
    assert of(TODAY - 2 * DAY) == (2, 1, 0, 0)
    assert of(TODAY - 3 * DAY) == (1, 0, 0, 0)
    assert DailyFigures.objects.get(day=TODAY - 4 * DAY).at == closed


def test_an_old_installation_gets_ninety_days_and_a_new_one_a_single_row() -> None:
    figures.keep_days(at=NOON)
    assert of(TODAY) == (0, 0, 0, 0)
    DailyFigures.objects.all().delete()
    confirmed("ada@example.org", at=NOON - 400 * DAY)
    assert figures.keep_days(at=NOON) == 90
    assert of(TODAY - 89 * DAY) == (1, 0, 0, 0)


def test_imported_readers_come_on_the_day_of_the_import() -> None:
    imported("ada@example.org", "ben@example.org", agreed_at=NOON - 700 * DAY, at=NOON - DAY)
    figures.keep_days(at=NOON)
    assert of(TODAY - DAY) == (2, 2, 0, 0)
    assert of(TODAY) == (2, 0, 0, 0)
    assert DailyFigures.objects.count() == 2, "the list begins with the import, not with the fair"


def test_who_never_confirmed_or_had_gone_already_is_not_lost_again() -> None:
    gone = confirmed("cleo@example.org", at=NOON - 9 * DAY)
    lifecycle.unsubscribe(gone.public_id, at=NOON - 3 * DAY, trace=BY_LINK)
    lifecycle.sign_up("ada@example.org", [], at=NOON - 2 * HOUR, trace=Trace("signup form"))
    pending = Subscriber.objects.get(address="ada@example.org")
    lifecycle.unsubscribe(pending.public_id, at=NOON - HOUR, trace=BY_LINK)
    typo = a_reader("ben@exampel.org", status=Subscriber.Status.PENDING, confirmed_at=None)
    lifecycle.suppress(typo.address_hash, Suppression.Reason.BOUNCE, "events", at=NOON - HOUR)
    lifecycle.erase(gone.public_id, at=NOON - HOUR, trace=Trace("account page"))
    stopped = confirmed("dan@example.org", at=NOON - 9 * DAY)
    lifecycle.suppress(stopped.address_hash, Suppression.Reason.BOUNCE, "events", at=NOON - 2 * DAY)
    lifecycle.unsubscribe(stopped.public_id, at=NOON - HOUR, trace=BY_LINK)
    lifted = confirmed("eve@example.org", at=NOON - 9 * DAY)
    lifecycle.suppress(lifted.address_hash, Suppression.Reason.BOUNCE, "events", at=NOON - 2 * DAY)
    lifecycle.lift(lifted.address_hash, at=NOON - HOUR)
    figures.keep_days(at=NOON)
    assert of(TODAY) == (0, 0, 0, 0)
    assert of(TODAY - 3 * DAY)[2] == 1, "the day they really went"


def test_who_took_leaving_back_has_not_left() -> None:
    reader = confirmed("ada@example.org", at=NOON - 9 * DAY)
    left_at = NOON.replace(microsecond=0) - HOUR
    lifecycle.unsubscribe(reader.public_id, at=left_at, trace=BY_LINK)
    assert lifecycle.resume(reader.public_id, left_at=left_at, at=NOON, trace=Trace("goodbye page"))
    figures.keep_days(at=NOON)
    assert of(TODAY) == (1, 0, 0, 0)


def test_who_moved_to_another_address_neither_came_nor_went() -> None:
    reader = confirmed("ada@example.org", at=NOON - 9 * DAY)
    hashed = address_hash("ada@example.net")
    AddressChange.objects.create(
        subscriber=reader,
        address="ada@example.net",
        address_key="ada@example.net",
        address_hash=hashed,
        asked_at=NOON,
    )
    moved = address_changes.agree(reader.public_id, address_binding(hashed), at=NOON, trace=Trace(MOVING))
    assert moved
    figures.keep_days(at=NOON)
    assert of(TODAY) == (1, 0, 0, 0)
    reader.refresh_from_db()
    lifecycle.unsubscribe(reader.public_id, at=NOON + HOUR, trace=BY_LINK)
    figures.keep_days(at=NOON + HOUR)
    assert of(TODAY) == (0, 0, 1, 0), "and from the new address one leaves like anybody"


def test_a_count_is_due_once_an_hour_and_with_every_new_day() -> None:
    assert figures.due(at=NOON)
    figures.keep_days(at=NOON)
    assert not figures.due(at=NOON + timedelta(minutes=59))
    assert figures.due(at=NOON + HOUR)
    figures.keep_days(at=NOON + 11 * HOUR + timedelta(minutes=50))
    assert figures.due(at=NOON + 12 * HOUR)


def test_topics_are_counted_by_active_readers_and_papers_of_thirty_days(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "_PAGE", 2)
    vision, agents = a_topic("vision"), a_topic("agents")
    for _ in range(3):
        a_reader("", vision)
    a_reader("", vision, agents)
    a_reader("", vision, status=Subscriber.Status.UNSUBSCRIBED)
    a_paper("", vision)
    a_paper("", vision, stored_at=NOON - 31 * DAY)
    figures.keep_topics(at=NOON)
    assert (vision.figures.readers, vision.figures.papers) == (4, 1)
    assert (agents.figures.readers, agents.figures.papers) == (1, 0)


def test_a_day_is_a_day_of_utc_wherever_the_moment_is_told() -> None:
    reader = a_reader()
    evening = datetime(2026, 3, 4, 20, 30, tzinfo=ZoneInfo("America/New_York"))  # the fifth in UTC
    record(reader, ConsentEvent.Kind.CONFIRMED, Trace("confirm link"), at=evening)
    assert list(movements.by_day(TODAY, TODAY + DAY)) == [TODAY + DAY]
    figures.keep_days(at=evening)
    assert DailyFigures.objects.get().day == datetime(2026, 3, 5, tzinfo=UTC).date()
