"""What the clock asks for follows from the receipts alone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from digest.asking import due, is_due
from digest.ingestion import due as due_from_ingestion
from digest.models import IngestRun
from digest.sources.base import Window

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday, 07:00 in New York
TODAY = date(2026, 3, 4)
State = IngestRun.State


@pytest.fixture(autouse=True)
def _two_categories(settings: Settings) -> None:
    settings.SOURCES = ["huggingface", "arxiv"]
    settings.ARXIV_CATEGORIES = ["cs.CL", "cs.CV"]


def asked(
    source: str, day: date, at: datetime, state: State = State.COMPLETE, category: str | None = None
) -> None:
    """Leave the receipts of a run: all of arXiv's categories unless one is named."""
    names = [category] if category is not None else [""] if source == "huggingface" else ["cs.CL", "cs.CV"]
    for name in names:
        IngestRun.objects.create(source=source, category=name, day=day, state=state, started_at=at)


def everything_asked(at: datetime) -> None:
    """Leave good receipts for all that can be due at `at`."""
    for n in range(8):
        asked("huggingface", at.date() - timedelta(days=n), at)
        asked("arxiv", at.date() - timedelta(days=n), at)


def due_of(source: str, at: datetime) -> list[Window]:
    return [window for name, window in due(at) if name == source]


def test_a_new_installation_asks_for_the_last_days_of_both() -> None:
    assert due(NOON) == [
        ("huggingface", Window(date(2026, 2, 25), TODAY)),
        ("arxiv", Window(date(2026, 3, 1), TODAY)),
    ]
    assert due_from_ingestion is due


def test_nothing_is_due_right_after_everything_was_asked() -> None:
    everything_asked(NOON)
    assert due(NOON + timedelta(minutes=29)) == []


def test_hugging_face_is_asked_for_today_every_half_hour() -> None:
    everything_asked(NOON)
    assert due(NOON + timedelta(minutes=30)) == [("huggingface", Window(TODAY, TODAY))]


def test_the_seven_days_before_are_asked_once_a_day() -> None:
    everything_asked(NOON)
    midnight = datetime(2026, 3, 5, 0, 1, tzinfo=UTC)
    assert due_of("huggingface", midnight) == [Window(date(2026, 2, 26), date(2026, 3, 5))]
    for n in range(1, 8):
        asked("huggingface", date(2026, 3, 5) - timedelta(days=n), midnight)
    assert due_of("huggingface", midnight + timedelta(hours=20)) == [
        Window(date(2026, 3, 5), date(2026, 3, 5))
    ]


def test_a_failed_run_is_tried_again_after_a_quarter_of_an_hour() -> None:
    everything_asked(NOON)
    asked("huggingface", date(2026, 3, 2), NOON + timedelta(minutes=1), State.FAILED)
    asked("huggingface", TODAY, NOON + timedelta(hours=1), State.FAILED)
    assert due(NOON + timedelta(hours=1, minutes=14)) == []
    assert due(NOON + timedelta(hours=1, minutes=15)) == [("huggingface", Window(TODAY, TODAY))]


def test_a_past_day_whose_only_run_failed_is_due_again() -> None:
    everything_asked(NOON)
    IngestRun.objects.filter(source="huggingface", day=date(2026, 3, 2)).update(state=State.FAILED)
    assert due(NOON + timedelta(minutes=15)) == [("huggingface", Window(date(2026, 3, 2), date(2026, 3, 2)))]


def test_what_is_being_asked_is_left_alone_for_ten_minutes() -> None:
    everything_asked(NOON)
    later = NOON + timedelta(hours=2)
    asked("huggingface", TODAY, later, State.RUNNING)
    assert due(later + timedelta(minutes=9)) == []
    assert due(later + timedelta(minutes=10)) == [("huggingface", Window(TODAY, TODAY))]


def test_arxivs_feed_is_asked_once_it_is_built_and_not_before() -> None:
    everything_asked(NOON)
    midnight = datetime(2026, 3, 5, 5, 0, tzinfo=UTC)  # 00:00 in New York
    assert due_of("arxiv", midnight + timedelta(minutes=14)) == []
    thursday = Window(date(2026, 3, 5), date(2026, 3, 5))
    assert due_of("arxiv", midnight + timedelta(minutes=15)) == [thursday]
    asked("arxiv", date(2026, 3, 5), midnight + timedelta(minutes=15))
    assert due_of("arxiv", midnight + timedelta(hours=23)) == []


def test_one_category_that_failed_makes_the_day_due_and_only_itself() -> None:
    everything_asked(NOON)
    IngestRun.objects.filter(source="arxiv", day=TODAY, category="cs.CV").update(state=State.FAILED)
    later = NOON + timedelta(minutes=20)
    assert due(later) == [("arxiv", Window(TODAY, TODAY))]
    assert is_due("arxiv", "cs.CV", TODAY, later)
    assert not is_due("arxiv", "cs.CL", TODAY, later)


def test_an_empty_feed_on_a_working_day_is_asked_hourly_until_the_evening() -> None:
    everything_asked(NOON)
    IngestRun.objects.filter(source="arxiv", day=TODAY).update(state=State.QUIET)
    assert due_of("arxiv", NOON + timedelta(minutes=59)) == []
    assert due_of("arxiv", NOON + timedelta(minutes=60)) == [Window(TODAY, TODAY)]
    evening = datetime(2026, 3, 5, 1, 5, tzinfo=UTC)  # 20:05 in New York, still the 4th
    asked("arxiv", TODAY, evening, State.QUIET)
    assert due_of("arxiv", evening + timedelta(hours=2)) == []


def test_an_empty_feed_on_a_weekend_is_believed() -> None:
    saturday = datetime(2026, 3, 7, 12, tzinfo=UTC)
    everything_asked(saturday)
    IngestRun.objects.filter(source="arxiv", day=saturday.date()).update(state=State.QUIET)
    assert due_of("arxiv", saturday + timedelta(hours=10)) == []


def test_a_feed_still_of_yesterday_is_looked_at_again_after_a_while() -> None:
    everything_asked(NOON)
    IngestRun.objects.filter(source="arxiv", day=TODAY).delete()
    asked("arxiv", date(2026, 3, 3), NOON)  # the answer was yesterday's: so is its receipt
    assert due_of("arxiv", NOON + timedelta(minutes=14)) == []
    assert due_of("arxiv", NOON + timedelta(minutes=15)) == [Window(TODAY, TODAY)]


def test_days_missed_while_we_were_down_are_fetched_afterwards() -> None:
    everything_asked(NOON)
    back = NOON + timedelta(days=3)  # Saturday
    assert due_of("arxiv", back) == [Window(date(2026, 3, 5), date(2026, 3, 7))]


def test_days_apart_are_windows_apart() -> None:
    everything_asked(NOON)
    IngestRun.objects.filter(day__in=[date(2026, 3, 2), date(2026, 3, 4)], source="huggingface").delete()
    assert due_of("huggingface", NOON) == [Window(day, day) for day in (date(2026, 3, 2), TODAY)]


def test_after_a_longer_silence_all_days_since_are_asked_for_and_the_one_in_which_it_began() -> None:
    everything_asked(NOON)
    back = NOON + timedelta(days=8)  # Thursday of the week after
    assert due_of("arxiv", back) == [Window(date(2026, 3, 5), date(2026, 3, 12))]
    assert due_of("huggingface", back) == [Window(TODAY, date(2026, 3, 12))]
    asked("huggingface", TODAY, back)
    assert due_of("huggingface", back) == [Window(date(2026, 3, 5), date(2026, 3, 12))]
    long_back = NOON + timedelta(days=40)
    assert due_of("arxiv", long_back) == [Window(date(2026, 4, 10), date(2026, 4, 13))], "nothing is known"
