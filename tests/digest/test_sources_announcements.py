"""arXiv's calendar: cut-off at 14:00 Eastern, feeds Monday to Friday."""

from datetime import UTC, date, datetime, timedelta

import pytest

from digest.sources.announcements import announced_on, eastern_date, has_announcement, submitted_between


@pytest.mark.parametrize(
    ("submitted", "feed"),
    [
        (
            "2026-03-03T18:59:59Z",
            "2026-03-04",
        ),  # Tuesday 13:59:59 EST: announced that evening, Wednesday's feed
        ("2026-03-03T19:00:00Z", "2026-03-05"),  # a second later: a day later
        ("2026-03-05T18:59:00Z", "2026-03-06"),  # Thursday before the cut-off: Friday's feed
        ("2026-03-05T19:00:00Z", "2026-03-09"),  # Thursday after it: announced on Sunday evening
        ("2026-03-06T18:59:00Z", "2026-03-09"),  # Friday before it: Sunday evening too
        ("2026-03-06T19:00:00Z", "2026-03-10"),  # Friday after it: Monday evening, in Tuesday's feed
        ("2026-03-07T12:00:00Z", "2026-03-10"),  # Saturday
        ("2026-03-09T17:59:00Z", "2026-03-10"),  # Monday 13:59 in daylight time, which began on the 8th
        ("2026-03-09T18:00:00Z", "2026-03-11"),
        ("2026-07-15T18:00:00Z", "2026-07-17"),  # summer: 14:00 EDT is 18:00 UTC
        ("2026-11-25T20:00:00Z", "2026-11-30"),  # Thanksgiving evening has no mail: Sunday's brings it
    ],
)
def test_a_submission_comes_out_in_the_feed_of_its_cut_off(submitted: str, feed: str) -> None:
    assert announced_on(datetime.fromisoformat(submitted)) == date.fromisoformat(feed)


def test_weekends_and_days_after_holidays_have_no_feed() -> None:
    week = [date(2026, 3, 2) + timedelta(days=n) for n in range(7)]
    assert [has_announcement(day) for day in week] == [True, True, True, True, True, False, False]
    assert submitted_between(date(2026, 3, 7)) is None
    assert submitted_between(date(2026, 11, 27)) is None  # the day after Thanksgiving


def test_tuesdays_feed_holds_the_weekend() -> None:
    assert submitted_between(date(2026, 3, 3)) == (
        datetime(2026, 2, 27, 19, tzinfo=UTC),
        datetime(2026, 3, 2, 19, tzinfo=UTC),
    )


def test_every_minute_of_a_year_is_in_exactly_one_feed() -> None:
    end = None
    for n in range(365):
        day = date(2026, 1, 2) + timedelta(days=n)
        between = submitted_between(day)
        if between is None:
            continue
        assert end is None or between[0] == end  # no gap, no overlap
        end = between[1]
        assert announced_on(between[0]) == day
        assert announced_on(between[1] - timedelta(seconds=1)) == day


def test_the_eastern_date_lags_behind_utc() -> None:
    assert eastern_date(datetime(2026, 3, 4, 4, 59, tzinfo=UTC)) == date(2026, 3, 3)
    assert eastern_date(datetime(2026, 3, 4, 5, 0, tzinfo=UTC)) == date(2026, 3, 4)
