"""When: local hours through every change of the clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import schedule
from digest.schedule import Freeze
from tests.digest import zones

DAY = timedelta(days=1)


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


DEFAULT = Freeze(6 * 60, "UTC")


@pytest.mark.parametrize(
    "freeze",
    [
        DEFAULT,
        Freeze(0, "America/Los_Angeles"),
        Freeze(23 * 60, "Pacific/Kiritimati"),
        Freeze(60, "Antarctica/Troll"),
        Freeze(0, "Asia/Beirut"),
    ],
    ids=lambda freeze: f"{freeze.minute // 60} in {freeze.zone}",
)
def test_a_reader_gets_one_digest_a_date_however_clocks_move(freeze: Freeze) -> None:
    # One zone for each way in which clocks move; `make zones` follows a reader in every zone.
    found = zones.walk(freeze, [alike[0] for alike in zones.patterns().values()])
    assert found.faults == []
    assert found.dates > 10_000


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),
        ("America/Denver", date(2026, 3, 8)),
        ("Asia/Beirut", date(2026, 3, 29)),  # at midnight, as in Santiago and Cairo
        ("America/Santiago", date(2026, 4, 5)),
        ("Africa/Cairo", date(2026, 4, 24)),
        ("Australia/Lord_Howe", date(2026, 4, 5)),  # by half an hour
        ("Africa/Casablanca", date(2026, 2, 15)),  # back an hour for Ramadan
        ("Antarctica/Troll", date(2026, 3, 29)),  # by two hours
    ],
)
def test_the_selection_holds_the_changes_that_are_odd(zone: str, change: date) -> None:
    assert change in zones.changes(zone)
    assert any(zone in alike for alike in zones.patterns().values())


def test_a_reader_whose_hour_clocks_move_across_the_freeze_waits_for_the_freeze_in_summer() -> None:
    winter = schedule.digest_of(date(2026, 3, 28), DEFAULT, 7 * 60, "Europe/Berlin")
    summer = schedule.digest_of(date(2026, 3, 29), DEFAULT, 7 * 60, "Europe/Berlin")
    assert winter == (date(2026, 3, 28), datetime(2026, 3, 28, 6, tzinfo=UTC))  # 07:00 there
    assert summer == (date(2026, 3, 29), datetime(2026, 3, 29, 6, tzinfo=UTC))  # 08:00
    # An hour that is before the freeze all year is the first one after it: the next morning's.
    early = schedule.digest_of(date(2026, 7, 1), DEFAULT, 6 * 60, "Europe/Berlin")
    assert early == (date(2026, 7, 2), datetime(2026, 7, 2, 4, tzinfo=UTC))


def test_where_clocks_never_move_it_is_the_first_hour_after_the_freeze_to_the_minute() -> None:
    at_the_freeze = schedule.digest_of(date(2026, 3, 4), DEFAULT, 15 * 60, "Asia/Tokyo")
    assert at_the_freeze == (date(2026, 3, 4), datetime(2026, 3, 4, 6, tzinfo=UTC))
    a_minute_before = schedule.digest_of(date(2026, 3, 4), DEFAULT, 15 * 60 - 1, "Asia/Tokyo")
    assert a_minute_before == (date(2026, 3, 5), datetime(2026, 3, 5, 5, 59, tzinfo=UTC))


@given(
    day=st.dates(date(2025, 1, 1), date(2040, 1, 1)),
    hour=st.integers(0, 23),
    home=st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Australia/Lord_Howe"]),
    minute=st.integers(0, 1439),
    zone=st.sampled_from(
        ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Nuuk", "Africa/Casablanca", "Asia/Gaza"]
    ),
)
def test_on_any_day_the_digest_leaves_between_its_freeze_and_the_next_for_the_next_date(
    day: date, hour: int, home: str, minute: int, zone: str
) -> None:
    freeze = Freeze(hour * 60, home)
    dated, leaves = schedule.digest_of(day, freeze, minute, zone)
    following, later = schedule.digest_of(day + DAY, freeze, minute, zone)
    assert freeze.of(day) <= leaves < freeze.of(day + DAY) <= later
    assert following == dated + DAY
    assert schedule.moment(dated, minute, zone) <= leaves


def test_frequency_is_judged_on_the_local_date() -> None:
    saturday, monday = date(2026, 3, 7), date(2026, 3, 9)
    assert schedule.is_due_on(saturday, "daily", 0)
    assert not schedule.is_due_on(saturday, "weekdays", 0)
    assert schedule.is_due_on(monday, "weekdays", 0)
    assert schedule.is_due_on(monday, "weekly", 0)
    assert not schedule.is_due_on(monday, "weekly", 1)
