"""An edition's life: which papers it takes, and which steps it refuses."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django import Settings

from digest import editions
from digest.models import Appearance, Candidate, Delivery, Edition
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, appeared

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 3, 4)
DAY = timedelta(days=1)


def frozen(day: date) -> Edition:
    return editions.freeze(editions.open_edition(day, at=NOON), at=NOON)


def titles(edition: Edition) -> set[str]:
    return set(edition.candidates.values_list("paper__title", flat=True))


def test_the_very_first_edition_takes_the_last_three_days_and_nothing_older() -> None:
    for age in range(5):
        appeared(a_paper(f"age {age}"), WEDNESDAY - age * DAY)
    assert titles(frozen(WEDNESDAY)) == {"age 0", "age 1", "age 2"}


def test_tomorrows_papers_wait_for_tomorrow() -> None:
    appeared(a_paper("tomorrow"), WEDNESDAY + DAY)
    edition = frozen(WEDNESDAY)
    assert edition.state == Edition.State.EMPTY
    assert titles(frozen(WEDNESDAY + DAY)) == {"tomorrow"}


def test_a_paper_that_came_after_the_freeze_is_in_the_next_edition_once() -> None:
    appeared(a_paper("early"), WEDNESDAY)
    frozen(WEDNESDAY)
    appeared(a_paper("late"), WEDNESDAY)
    assert titles(frozen(WEDNESDAY + DAY)) == {"late"}
    assert titles(frozen(WEDNESDAY + 2 * DAY)) == set()


def test_after_a_month_down_an_edition_reaches_back_fourteen_days() -> None:
    appeared(a_paper("first"), WEDNESDAY - 30 * DAY)
    frozen(WEDNESDAY - 30 * DAY)
    appeared(a_paper("13 days old"), WEDNESDAY - 13 * DAY)
    appeared(a_paper("14 days old"), WEDNESDAY - 14 * DAY)
    assert titles(frozen(WEDNESDAY)) == {"13 days old"}


def test_papers_of_a_source_that_was_away_for_days_come_afterwards() -> None:
    appeared(a_paper("monday, in time"), WEDNESDAY - 2 * DAY)
    frozen(WEDNESDAY - 2 * DAY)
    appeared(a_paper("tuesday, in time"), WEDNESDAY - DAY)
    frozen(WEDNESDAY - DAY)
    appeared(a_paper("monday, told on wednesday"), WEDNESDAY - 2 * DAY)
    assert titles(frozen(WEDNESDAY)) == {"monday, told on wednesday"}


def test_what_was_too_old_for_the_first_edition_stays_so() -> None:
    appeared(a_paper("too old"), WEDNESDAY - 3 * DAY)
    appeared(a_paper("new"), WEDNESDAY)
    frozen(WEDNESDAY)
    assert titles(frozen(WEDNESDAY + DAY)) == set()


def test_a_paper_on_two_sources_is_one_candidate_with_both_and_the_latest_day() -> None:
    paper = a_paper("both", upvotes=7)
    appeared(paper, WEDNESDAY - DAY, "arxiv")
    appeared(paper, WEDNESDAY, "huggingface")
    (candidate,) = Candidate.objects.filter(edition=frozen(WEDNESDAY))
    assert (candidate.sources, candidate.featured_on, candidate.upvotes) == (
        ["arxiv", "huggingface"],
        WEDNESDAY,
        7,
    )


def test_a_paper_may_be_a_candidate_again_when_another_source_features_it_later() -> None:
    paper = a_paper("twice")
    appeared(paper, WEDNESDAY, "arxiv")
    frozen(WEDNESDAY)
    appeared(paper, WEDNESDAY + DAY, "huggingface")
    assert titles(frozen(WEDNESDAY + DAY)) == {"twice"}


def test_withdrawn_papers_are_left_out() -> None:
    appeared(a_paper("withdrawn", withdrawn_at=NOON), WEDNESDAY)
    assert frozen(WEDNESDAY).state == Edition.State.EMPTY


def test_the_signals_are_those_of_the_freeze() -> None:
    paper = a_paper("rising", upvotes=3, comments=1, stars=12)
    appeared(paper, WEDNESDAY)
    edition = frozen(WEDNESDAY)
    paper.upvotes = 300
    paper.save()
    candidate = edition.candidates.get()
    assert (candidate.upvotes, candidate.comments, candidate.stars) == (3, 1, 12)


def test_freezing_twice_is_refused_and_changes_nothing() -> None:
    appeared(a_paper("one"), WEDNESDAY)
    edition = frozen(WEDNESDAY)
    appeared(a_paper("two"), WEDNESDAY)
    with pytest.raises(editions.EditionError, match="fixed"):
        editions.freeze(edition, at=NOON)
    assert titles(edition) == {"one"}


def test_an_empty_edition_is_frozen_anew_by_hand_only() -> None:
    edition = frozen(WEDNESDAY)
    appeared(a_paper("late"), WEDNESDAY)
    with pytest.raises(editions.EditionError, match="empty"):
        editions.freeze(edition, at=NOON)
    again = editions.freeze(edition, at=NOON + DAY, by_hand=True)
    assert (again.state, again.frozen_at, titles(again)) == (Edition.State.FROZEN, NOON + DAY, {"late"})
    with pytest.raises(editions.EditionError, match="fixed"):
        editions.freeze(again, at=NOON, by_hand=True)


def test_a_second_process_with_an_old_copy_cannot_freeze_again() -> None:
    appeared(a_paper("one"), WEDNESDAY)
    stale = editions.open_edition(WEDNESDAY, at=NOON)
    frozen(WEDNESDAY)
    with pytest.raises(editions.EditionError):
        editions.freeze(stale, at=NOON)
    assert Candidate.objects.count() == 1


def test_a_freeze_that_fails_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    appeared(a_paper("one"), WEDNESDAY)
    edition = editions.open_edition(WEDNESDAY, at=NOON)

    def power_cut(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(editions, "move", power_cut)
    with pytest.raises(RuntimeError):
        editions.freeze(edition, at=NOON)
    assert not Candidate.objects.exists()
    assert Appearance.objects.get().edition is None


def test_approving_twice_is_one_approval() -> None:
    appeared(a_paper("one"), WEDNESDAY)
    edition = editions.approve(frozen(WEDNESDAY), at=NOON)
    again = editions.approve(edition, at=NOON + DAY)
    assert again.approved_at == NOON


def test_an_empty_edition_cannot_be_approved() -> None:
    with pytest.raises(editions.EditionError, match="empty"):
        editions.approve(frozen(WEDNESDAY), at=NOON)


def test_an_edition_with_open_deliveries_is_not_closed() -> None:
    edition = a_frozen_edition(WEDNESDAY, a_paper(), state=Edition.State.SENDING)
    reader = a_reader()
    delivery = Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=WEDNESDAY,
        not_before=NOON,
        expires_at=NOON + DAY,
    )
    for state in Delivery.State.READY, Delivery.State.SUBMITTING, Delivery.State.DEFERRED:
        Delivery.objects.filter(pk=delivery.pk).update(state=state)
        assert not editions.close(edition, at=NOON)
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.ACCEPTED)
    assert editions.close(edition, at=NOON)
    edition.refresh_from_db()
    assert edition.state == Edition.State.SENT


def test_the_freeze_is_at_the_edition_hour_in_the_edition_zone(settings: Settings) -> None:
    settings.EDITION_HOUR, settings.EDITION_ZONE = 18, "America/New_York"
    assert editions.freeze_moment(WEDNESDAY) == datetime(2026, 3, 4, 23, tzinfo=UTC)
    # 03:00 UTC is still the evening before in New York.
    assert editions.edition_day(datetime(2026, 3, 5, 3, tzinfo=UTC)) == WEDNESDAY
