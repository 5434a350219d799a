"""Curators' decisions, and the ones they cannot take any more."""

from collections.abc import Callable
from datetime import date

import pytest

from digest import curation
from digest.curation import papers as papers_of
from digest.editions import EditionError
from digest.models import Candidate, Edition, Paper
from tests.cast import NOON, a_frozen_edition, a_paper

pytestmark = pytest.mark.django_db


@pytest.fixture
def papers() -> list[Paper]:
    return [a_paper(name) for name in ("one", "two", "three")]


@pytest.fixture
def edition(papers: list[Paper]) -> Edition:
    return a_frozen_edition(date(2026, 3, 4), *papers, state=Edition.State.FROZEN)


def pins(edition: Edition) -> list[str]:
    return list(edition.candidates.exclude(pin=None).order_by("pin").values_list("paper__title", flat=True))


def test_pins_keep_the_order_curators_give_them(edition: Edition, papers: list[Paper]) -> None:
    one, two, three = papers
    curation.pin(edition, one)
    curation.pin(edition, two)
    curation.pin(edition, three, place=1)
    assert pins(edition) == ["three", "one", "two"]
    curation.unpin(edition, one)
    assert pins(edition) == ["three", "two"]
    assert list(edition.candidates.exclude(pin=None).order_by("pin").values_list("pin", flat=True)) == [1, 2]


def test_hiding_takes_the_pin_off_and_pinning_shows_again(edition: Edition, papers: list[Paper]) -> None:
    curation.pin(edition, papers[0])
    curation.hide(edition, papers[0])
    assert pins(edition) == []
    assert edition.candidates.get(paper=papers[0]).hidden
    curation.pin(edition, papers[0])
    assert not edition.candidates.get(paper=papers[0]).hidden
    curation.hide(edition, papers[1])
    curation.show(edition, papers[1])
    assert not edition.candidates.get(paper=papers[1]).hidden


def test_a_note_is_one_line_of_bounded_length(edition: Edition, papers: list[Paper]) -> None:
    curation.annotate(edition, papers[0], "  Worth\na read  ")
    assert edition.candidates.get(paper=papers[0]).note == "Worth a read"
    with pytest.raises(curation.CurationError, match="280"):
        curation.annotate(edition, papers[0], "x" * 281)
    assert edition.candidates.get(paper=papers[0]).note == "Worth a read"


def test_a_note_for_everyone_is_kept_as_plain_text(edition: Edition) -> None:
    curation.annotate_edition(edition, "Hello <b>all</b> {{ 7*7 }}")
    edition.refresh_from_db()
    assert edition.note == "Hello <b>all</b> {{ 7*7 }}"
    with pytest.raises(curation.CurationError):
        curation.annotate_edition(edition, "x" * 2001)


def test_a_tenth_pin_and_a_foreign_paper_are_refused(
    edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers_of, "MOST_PINS", 1)
    first, second, _ = (candidate.paper for candidate in Candidate.objects.select_related("paper"))
    curation.pin(edition, first)
    curation.pin(edition, first)  # pinning again only moves it
    with pytest.raises(curation.CurationError, match="pins already"):
        curation.pin(edition, second)
    with pytest.raises(curation.CurationError, match="not in this edition"):
        curation.hide(edition, a_paper("elsewhere"))


@pytest.mark.parametrize("state", [Edition.State.APPROVED, Edition.State.SENDING])
def test_what_is_leaving_is_not_reshaped(edition: Edition, papers: list[Paper], state: str) -> None:
    Edition.objects.update(state=state)
    for deed in (curation.pin, curation.unpin, curation.hide, curation.show):
        with pytest.raises(curation.CurationError, match=state):
            deed(edition, papers[0])
    with pytest.raises(curation.CurationError, match=state):
        curation.annotate_edition(edition, "too late")


def test_pause_and_resume_return_to_the_state_before(edition: Edition) -> None:
    curation.approve(edition, at=NOON)
    assert curation.pause(edition).state == Edition.State.PAUSED
    with pytest.raises(EditionError, match="paused"):
        curation.pause(edition)
    assert curation.resume(edition, at=NOON).state == Edition.State.APPROVED
    with pytest.raises(EditionError, match="not paused"):
        curation.resume(edition, at=NOON)


def test_a_cancelled_edition_stays_cancelled(edition: Edition) -> None:
    curation.cancel(edition, at=NOON)
    with pytest.raises(EditionError, match="cancelled"):
        curation.approve(edition, at=NOON)


@pytest.mark.parametrize("state", [Edition.State.SENT, Edition.State.CANCELLED, Edition.State.EXPIRED])
def test_a_bad_paper_is_hidden_even_when_its_edition_is_over(
    edition: Edition, papers: list[Paper], state: str
) -> None:
    Edition.objects.update(state=state)
    curation.hide(edition, papers[0])
    assert edition.candidates.get(paper=papers[0]).hidden
    with pytest.raises(curation.CurationError, match=state):
        curation.pin(edition, papers[1])


def test_each_decision_makes_a_new_revision(edition: Edition, papers: list[Paper]) -> None:
    decisions: list[Callable[[], object]] = [
        lambda: curation.pin(edition, papers[0]),
        lambda: curation.unpin(edition, papers[0]),
        lambda: curation.hide(edition, papers[0]),
        lambda: curation.show(edition, papers[0]),
        lambda: curation.annotate(edition, papers[0], "Good"),
        lambda: curation.annotate_edition(edition, "Hello"),
    ]
    seen = [0]
    for decide in decisions:
        decide()
        edition.refresh_from_db()
        seen.append(edition.revision)
    assert seen == sorted(set(seen))
