"""When: local hours through every change of the clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import schedule

MINUTE = timedelta(minutes=1)


def test_a_reader_in_paris_is_due_at_their_own_seven_in_winter_and_in_summer() -> None:
    assert schedule.moment(date(2026, 1, 15), 7 * 60, "Europe/Paris") == datetime(2026, 1, 15, 6, tzinfo=UTC)
    assert schedule.moment(date(2026, 7, 15), 7 * 60, "Europe/Paris") == datetime(2026, 7, 15, 5, tzinfo=UTC)


def test_a_local_time_the_clocks_jump_over_is_the_first_valid_minute_after() -> None:
    # Paris, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
    assert schedule.moment(date(2026, 3, 29), 2 * 60 + 30, "Europe/Paris") == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )
    # Lord Howe moves by half an hour only: 02:00 becomes 02:30.
    gap = schedule.moment(date(2026, 10, 4), 2 * 60 + 10, "Australia/Lord_Howe")
    assert gap.astimezone(ZoneInfo("Australia/Lord_Howe")).strftime("%H:%M") == "02:30"


def test_a_local_time_that_comes_twice_is_the_first_of_the_two() -> None:
    # Paris, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
    assert schedule.moment(date(2026, 10, 25), 2 * 60 + 30, "Europe/Paris") == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("minute", [15, 90, 150, 420, 23 * 60 + 45])
def test_in_every_zone_the_moments_of_a_year_come_once_a_date_and_in_order(minute: int) -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in (*range(60, 120), *range(270, 330))]
    for zone in sorted(available_timezones()):
        moments = [schedule.moment(day, minute, zone) for day in days]
        for earlier, later, day in zip(moments, moments[1:], days, strict=False):
            if day != days[59]:  # the jump from spring to autumn
                assert timedelta(hours=22) <= later - earlier <= timedelta(hours=26), (zone, day)


@given(
    after=st.integers(0, 4 * 365 * 24 * 60).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * MINUTE),
    minute=st.integers(0, 1439),
    zone=st.sampled_from(
        ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Nuuk", "Africa/Casablanca"]
    ),
)
def test_the_first_send_is_at_or_after_the_freeze_and_within_a_day_and_a_bit(
    after: datetime, minute: int, zone: str
) -> None:
    day, at = schedule.first_send(after, minute, zone)
    assert after <= at <= after + timedelta(hours=26)
    assert schedule.moment(day, minute, zone) == at
    assert schedule.moment(day - timedelta(days=1), minute, zone) < after


def test_frequency_is_judged_on_the_local_date() -> None:
    saturday, monday = date(2026, 3, 7), date(2026, 3, 9)
    assert schedule.is_due_on(saturday, "daily", 0)
    assert not schedule.is_due_on(saturday, "weekdays", 0)
    assert schedule.is_due_on(monday, "weekdays", 0)
    assert schedule.is_due_on(monday, "weekly", 0)
    assert not schedule.is_due_on(monday, "weekly", 1)
