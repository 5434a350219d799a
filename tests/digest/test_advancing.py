"""The minute's tick: what is due is decided by rows, so missed and doubled ticks change nothing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from digest import advancing, coverage, editions
from digest.models import Delivery, Edition, IngestRun
from tests.cast import a_frozen_edition, a_paper, a_reader, appeared

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 3, 4)
SIX = datetime(2026, 3, 4, 6, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _two_sources(settings: Settings) -> None:
    settings.SOURCES = ["huggingface", "arxiv"]


def answered(source: str, at: datetime, state: str = IngestRun.State.COMPLETE, category: str = "") -> None:
    IngestRun.objects.create(
        source=source, category=category, day=at.date(), state=state, started_at=at, finished_at=at
    )


def all_answered(at: datetime) -> None:
    answered("huggingface", at)
    answered("arxiv", at, IngestRun.State.QUIET, "cs.LG")


def today() -> Edition:
    return Edition.objects.get(day=WEDNESDAY)


def test_before_the_hour_the_edition_is_open_and_at_the_hour_it_goes_out() -> None:
    appeared(a_paper(), WEDNESDAY)
    a_reader()
    all_answered(SIX - HOUR)
    advancing.advance(at=SIX - MINUTE)
    assert today().state == Edition.State.OPEN
    advancing.advance(at=SIX)
    assert today().state == Edition.State.SENDING
    assert Delivery.objects.count() == 1


def test_ticking_again_and_again_makes_nothing_twice() -> None:
    appeared(a_paper(), WEDNESDAY)
    a_reader()
    all_answered(SIX - HOUR)
    for _ in range(5):
        advancing.advance(at=SIX)
    assert (Edition.objects.count(), Delivery.objects.count()) == (1, 1)


def test_a_failed_source_is_waited_for_and_then_owned_up_to() -> None:
    a_reader()
    appeared(a_paper(), WEDNESDAY)
    answered("huggingface", SIX - HOUR)
    answered("arxiv", SIX - HOUR, IngestRun.State.FAILED, "cs.LG")
    advancing.advance(at=SIX)
    assert today().state == Edition.State.OPEN
    advancing.advance(at=SIX + coverage.PATIENCE)
    assert today().state == Edition.State.SENDING
    assert today().missing_sources == ["arxiv"]


def test_a_source_that_recovers_ends_the_waiting() -> None:
    a_reader()
    appeared(a_paper(), WEDNESDAY)
    answered("huggingface", SIX - HOUR)
    answered("arxiv", SIX - HOUR, IngestRun.State.FAILED, "cs.LG")
    advancing.advance(at=SIX)
    answered("arxiv", SIX + MINUTE, IngestRun.State.COMPLETE, "cs.LG")
    advancing.advance(at=SIX + 2 * MINUTE)
    assert (today().state, today().missing_sources) == (Edition.State.SENDING, [])


def test_a_fresh_installation_waits_for_its_first_answers() -> None:
    advancing.advance(at=SIX + MINUTE)
    assert today().state == Edition.State.OPEN


def test_an_empty_day_sends_nothing() -> None:
    a_reader()
    all_answered(SIX - HOUR)
    advancing.advance(at=SIX)
    assert today().state == Edition.State.EMPTY
    assert not Delivery.objects.exists()


def test_with_approval_required_nothing_leaves_without_a_curator(settings: Settings) -> None:
    settings.EDITION_REQUIRES_APPROVAL = True
    appeared(a_paper(), WEDNESDAY)
    a_reader()
    all_answered(SIX - HOUR)
    advancing.advance(at=SIX)
    assert today().state == Edition.State.FROZEN
    editions.approve(today(), at=SIX + HOUR)
    advancing.advance(at=SIX + HOUR)
    assert today().state == Edition.State.SENDING


def test_an_approval_that_never_came_expires_the_edition(settings: Settings) -> None:
    settings.EDITION_REQUIRES_APPROVAL = True
    appeared(a_paper(), WEDNESDAY)
    all_answered(SIX - HOUR)
    advancing.advance(at=SIX)
    advancing.advance(at=SIX + editions.WINDOW - MINUTE)
    assert today().state == Edition.State.FROZEN
    advancing.advance(at=SIX + editions.WINDOW)
    assert today().state == Edition.State.EXPIRED


@pytest.mark.parametrize("down", [1, 3, 8])
def test_after_days_down_one_edition_brings_all_papers(down: int) -> None:
    appeared(a_paper("before"), WEDNESDAY - (down + 1) * DAY)
    all_answered(SIX - (down + 1) * DAY)
    advancing.advance(at=SIX - (down + 1) * DAY)
    editions.open_edition(WEDNESDAY - DAY, at=SIX - DAY)
    for missed in range(down):
        appeared(a_paper(f"missed {missed}"), WEDNESDAY - (missed + 1) * DAY)
    a_reader()
    all_answered(SIX)
    advancing.advance(at=SIX)
    assert today().candidate_count == down
    assert Delivery.objects.filter(state="ready").count() == 1


def test_a_finished_edition_is_closed() -> None:
    appeared(a_paper(), WEDNESDAY)
    a_reader()
    all_answered(SIX - HOUR)
    advancing.advance(at=SIX)
    Delivery.objects.update(state="accepted")
    advancing.advance(at=SIX + MINUTE)
    assert today().state == Edition.State.SENT


def test_a_new_reader_gets_a_welcome_with_the_next_tick() -> None:
    appeared(a_paper(), WEDNESDAY)
    all_answered(SIX - HOUR)
    advancing.advance(at=SIX)
    reader = a_reader(confirmed_at=SIX + HOUR)
    advancing.advance(at=SIX + HOUR + MINUTE)
    assert Delivery.objects.get().subscriber == reader


def test_an_edition_late_in_the_evening_is_not_given_up_at_midnight(settings: Settings) -> None:
    settings.EDITION_HOUR = 23
    appeared(a_paper(), WEDNESDAY)
    a_reader(send_minute=8 * 60)
    answered("huggingface", SIX + 16 * HOUR)
    advancing.advance(at=SIX + 17 * HOUR)
    assert today().state == Edition.State.OPEN
    advancing.advance(at=SIX + 18 * HOUR + MINUTE)  # past midnight, arXiv still silent
    assert today().state == Edition.State.OPEN
    advancing.advance(at=SIX + 19 * HOUR)
    assert today().state == Edition.State.SENDING
    assert Delivery.objects.get().local_date == WEDNESDAY + DAY


def test_a_back_issue_made_by_hand_waits_for_that_hand() -> None:
    long_ago = date(2026, 1, 5)
    appeared(a_paper(), long_ago)
    a_reader()
    edition = editions.open_edition(long_ago, at=SIX)
    advancing.advance(at=SIX + MINUTE)
    edition.refresh_from_db()
    assert edition.state == Edition.State.OPEN
    editions.freeze(edition, at=SIX + HOUR)
    advancing.advance(at=SIX + HOUR + MINUTE)
    edition.refresh_from_db()
    assert edition.state == Edition.State.FROZEN
    assert not Delivery.objects.exists()
    editions.approve(edition, at=SIX + 2 * HOUR)
    advancing.advance(at=SIX + 2 * HOUR + MINUTE)
    assert Delivery.objects.count() == 1


def test_one_editions_fault_does_not_stop_the_others() -> None:
    a_reader()
    broken = a_frozen_edition(WEDNESDAY - DAY, a_paper(), approved_at=SIX - DAY, enrolled=7)
    appeared(a_paper(), WEDNESDAY)
    all_answered(SIX - HOUR)
    advancing.advance(at=SIX)
    broken.refresh_from_db()
    assert broken.state == Edition.State.APPROVED
    assert today().state == Edition.State.SENDING
