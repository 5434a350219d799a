"""Tests of digest.terms: what is counted for an edition, and that it is counted once."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from digest import terms
from digest.models import EditionTerms
from tests.cast import NOON, a_frozen_edition, a_paper, appeared

TODAY = NOON.date()
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def test_the_words_of_sixty_days_are_counted_and_no_others() -> None:
    for age in (0, 60, 61, -1):
        for _ in range(2):
            appeared(a_paper(f"Distance{age + 100}"), TODAY - age * DAY)
    edition = a_frozen_edition(TODAY)
    assert terms.compute(edition).documents == 4
    known = terms.load(edition).counts
    assert {word for word in known if word.startswith("distance")} == {"distance100", "distance160"}


def test_candidates_count_however_long_ago_they_appeared_and_each_paper_once() -> None:
    paper = a_paper("Old and new")
    appeared(paper, TODAY - 300 * DAY)
    appeared(paper, TODAY, source="arxiv")
    assert terms.compute(a_frozen_edition(TODAY, paper, a_paper())).documents == 2


def test_withdrawn_papers_are_not_counted() -> None:
    appeared(a_paper(withdrawn_at=NOON), TODAY)
    assert terms.compute(a_frozen_edition(TODAY)).documents == 0


def test_counting_goes_through_more_papers_than_one_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "_CHUNK", 3)
    for _ in range(7):
        appeared(a_paper(), TODAY)
    assert terms.compute(a_frozen_edition(TODAY)).documents == 7


def test_freezing_again_counts_again_in_the_same_row() -> None:
    edition = a_frozen_edition(TODAY, a_paper())
    terms.compute(edition)
    appeared(a_paper(), TODAY)
    assert terms.compute(edition).documents == 2
    assert EditionTerms.objects.count() == 1
    assert terms.load(edition).documents == 2


def test_loading_reads_one_row(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    edition = a_frozen_edition(TODAY, a_paper("Rare"), a_paper("Rare"))
    terms.compute(edition)
    with django_assert_num_queries(1):
        first = terms.load(edition)
    assert terms.load(edition) is first


def test_terms_never_computed_are_counted_but_not_stored() -> None:
    edition = a_frozen_edition(TODAY, a_paper("Rare"), a_paper("Rare"))
    assert terms.load(edition).counts["rar"] == 2
    assert not EditionTerms.objects.exists()
