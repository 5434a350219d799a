"""Everything is away for a while, sources and all: no date has two digests, and every paper comes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from digest.delivery.balance import balance
from digest.models import Delivery, Edition
from tests.cast import a_reader
from tests.digest import days
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
#: It happens a quarter of an hour before a freeze.
FALL = MONDAY + 2 * DAY + 5 * HOUR + 45 * MINUTE


@pytest.fixture(autouse=True)
def _one_source(settings: Settings) -> None:
    settings.SOURCES = ["huggingface"]


def away(since: datetime, span: timedelta) -> Callable[[datetime], bool]:
    return lambda at: not since <= at < since + span


@pytest.mark.parametrize("hours", [1, 10, 30, 8 * 24])
def test_after_downtime_each_paper_has_come_once_and_no_date_has_two(smtp_sink: SmtpSink, hours: int) -> None:
    span = hours * HOUR
    readers = [
        a_reader(send_minute=minute, time_zone=zone, size=25)
        for minute, zone in ((5 * 60 + 50, "UTC"), (7 * 60, "UTC"), (20 * 60, "UTC"), (420, "Asia/Tokyo"))
    ]
    world = days.World(MONDAY.date())
    days.live(MONDAY, FALL + span + 3 * DAY, world=world, up=away(FALL, span))
    known = {paper.pk for (day, _hour), paper in world.papers.items() if day < (FALL + span + DAY).date()}
    assert len(known) >= 2 * (3 + hours // 24)
    for reader in readers:
        got = days.papers_of(reader)
        assert set(got.values()) == {1}
        assert known <= set(got)
        dates = days.dates_of(reader)
        assert set(dates.values()) == {1}
        # The days on which everything was up have their digest, the day of the return among them.
        back = FALL + span + DAY
        assert all(dates[back.date() + n * DAY] for n in range(2)), dates
    # One mail on the return, not one for each day.
    returned = Delivery.objects.filter(settled_at__range=(FALL + span, FALL + span + 24 * HOUR))
    for reader in readers:
        assert returned.filter(subscriber=reader, state=Delivery.State.ACCEPTED).count() <= 2
    for edition in Edition.objects.all():
        assert balance(edition).exact
    assert len(smtp_sink.received) == Delivery.objects.filter(state=Delivery.State.ACCEPTED).count()


def test_an_hour_away_across_the_freeze_costs_nobody_their_date(smtp_sink: SmtpSink) -> None:
    before, after = a_reader(send_minute=5 * 60 + 50), a_reader(send_minute=6 * 60 + 10)
    days.live(MONDAY, FALL + 2 * DAY, up=away(FALL, HOUR))
    for reader in before, after:
        dates = days.dates_of(reader)
        assert [dates[date(2026, 3, day)] for day in (3, 4, 5)] == [1, 1, 1]
    assert smtp_sink.received


def test_an_edition_whose_hour_passed_meanwhile_waits_until_the_sources_were_asked(
    smtp_sink: SmtpSink,
) -> None:
    a_reader()
    world = days.World(MONDAY.date())
    days.live(MONDAY, FALL, world=world)
    back = FALL + 30 * HOUR
    days.tick(back)  # the first minute: nothing has come in yet
    today = Edition.objects.get(day=back.date())
    assert today.state == Edition.State.OPEN
    world.ask(back + MINUTE)
    days.tick(back + 2 * MINUTE)
    today.refresh_from_db()
    assert (today.state, today.candidate_count) == (Edition.State.SENDING, 4)
    assert smtp_sink.received


def test_it_waits_for_sources_that_nobody_asks_for_eight_hours_at_most() -> None:
    a_reader()
    days.live(MONDAY, FALL)
    for hours, state in ((7, Edition.State.OPEN), (8, Edition.State.SENDING)):
        at = MONDAY + 3 * DAY + (6 + hours) * HOUR
        days.tick(at)
        assert Edition.objects.get(day=at.date()).state == state


def test_an_edition_of_the_late_evening_is_made_after_midnight_if_all_was_down(
    smtp_sink: SmtpSink, settings: Settings
) -> None:
    settings.EDITION_HOUR = 23
    reader = a_reader()
    world = days.World(MONDAY.date())
    days.live(MONDAY + 12 * HOUR, MONDAY + 4 * DAY, world=world, up=away(MONDAY + 20 * HOUR, 30 * HOUR))
    # Tuesday's edition was never opened on Tuesday.
    assert Edition.objects.get(day=date(2026, 3, 3)).state == Edition.State.SENT
    assert [days.dates_of(reader)[date(2026, 3, day)] for day in (4, 5)] == [1, 1]
    assert smtp_sink.received
