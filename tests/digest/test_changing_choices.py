"""Readers who change their hour, zone and rhythm while a digest waits or has just left."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from pytest_django import Settings

from digest.models import Delivery
from subscribers.models import Subscriber
from tests.cast import a_reader
from tests.digest import days
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Tokyo", "America/Los_Angeles"]


@pytest.fixture(autouse=True)
def _one_source(settings: Settings) -> None:
    settings.SOURCES = ["huggingface"]


def test_however_they_change_each_paper_comes_once_and_each_date_has_one_at_most(smtp_sink: SmtpSink) -> None:
    chance = Random(7)
    restless = [a_reader(size=25) for _ in range(6)]

    def some_change(at: datetime) -> None:
        if at < MONDAY + 5 * DAY:
            reader = chance.choice(restless)
            Subscriber.objects.filter(pk=reader.pk).update(
                time_zone=chance.choice(ZONES), send_minute=chance.randrange(1440)
            )

    world = days.World(MONDAY.date())
    days.live(MONDAY, MONDAY + 8 * DAY, world=world, each=some_change)
    known = {paper.pk for (day, _hour), paper in world.papers.items() if day < (MONDAY + 6 * DAY).date()}
    for reader in restless:
        got = days.papers_of(reader)
        assert known <= set(got)
        assert set(got.values()) == {1}
        assert set(days.dates_of(reader).values()) == {1}
        left = Delivery.objects.filter(subscriber=reader, state="accepted").order_by("settled_at")
        moments = [at for at in left.values_list("settled_at", flat=True) if at]
        # Across the date line, back and forth: a date that had its digest comes again, another never does.
        assert max(later - earlier for earlier, later in pairwise(moments)) <= 4 * DAY
    assert len(smtp_sink.received) == Delivery.objects.filter(state="accepted").count()


@pytest.mark.parametrize(
    ("before", "after", "dates"),
    [
        # (zone, minute) until Wednesday noon and from then on; the dates in March that have a digest
        (("UTC", 7 * 60), ("UTC", 20 * 60), [3, 4, 5, 6]),
        (("UTC", 20 * 60), ("UTC", 7 * 60), [3, 4, 5, 6]),
        # Wednesday's waits in Kiritimati for Thursday; in Pago Pago it is that Thursday's still.
        (("Pacific/Kiritimati", 7 * 60), ("Pacific/Pago_Pago", 7 * 60), [3, 4, 5, 6]),
        # The other way round no Thursday is left.
        (("Pacific/Pago_Pago", 7 * 60), ("Pacific/Kiritimati", 7 * 60), [3, 4, 6]),
    ],
)
def test_a_change_while_one_waits_or_has_just_left_costs_no_more_than_the_dates_that_were_skipped(
    smtp_sink: SmtpSink, before: tuple[str, int], after: tuple[str, int], dates: list[int]
) -> None:
    reader = a_reader(time_zone=before[0], send_minute=before[1])

    def change(at: datetime) -> None:
        if at >= MONDAY + 2 * DAY + 12 * HOUR:
            Subscriber.objects.update(time_zone=after[0], send_minute=after[1])

    days.live(MONDAY, MONDAY + 5 * DAY, each=change)
    got = days.dates_of(reader)
    assert [day for day in range(3, 7) if got[date(2026, 3, day)]] == dates
    assert set(got.values()) == {1}
    assert smtp_sink.received


def test_a_weekly_reader_who_crosses_the_date_line_is_judged_by_their_own_date(smtp_sink: SmtpSink) -> None:
    friday = 4
    reader = a_reader(frequency="weekly", weekday=friday, time_zone="Pacific/Kiritimati")
    west = MONDAY + 4 * DAY

    def move(at: datetime) -> None:
        if at >= west:
            Subscriber.objects.update(time_zone="Pacific/Pago_Pago")

    days.live(MONDAY, MONDAY + 13 * DAY, each=move)
    assert {day.weekday() for day in days.dates_of(reader)} == {friday}
    assert set(days.dates_of(reader).values()) == {1}
    assert len(days.dates_of(reader)) == len(smtp_sink.received) == 2
