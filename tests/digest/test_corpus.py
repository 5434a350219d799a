"""Tests of digest.corpus: the pool of an edition, from the database into arrays."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from digest import corpus, terms
from digest.models import Candidate, Edition, Paper
from digest.vocabulary import VocabularyError
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic
from tests.digest.readership import ids_of, reasons_of

TODAY = NOON.date()
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def test_a_pool_holds_each_paper_once_by_its_newest_candidacy() -> None:
    again, older, new = a_paper("Featured again"), a_paper("Older"), a_paper("New")
    a_frozen_edition(TODAY - DAY, again, older)
    pool = corpus.load(a_frozen_edition(TODAY, again, new))
    assert pool.paper_ids.tolist() == sorted([again.pk, older.pk, new.pk])
    days = dict(zip(pool.paper_ids.tolist(), pool.days.tolist(), strict=True))
    assert days == {again.pk: TODAY.toordinal(), older.pk: TODAY.toordinal() - 1, new.pk: TODAY.toordinal()}


def test_hidden_and_withdrawn_papers_are_out() -> None:
    hidden, withdrawn, shown = a_paper(), a_paper(withdrawn_at=NOON), a_paper()
    before = a_frozen_edition(TODAY - DAY, hidden, shown)
    edition = a_frozen_edition(TODAY, hidden, withdrawn, shown)
    Candidate.objects.filter(edition=edition, paper=hidden).update(hidden=True)
    Candidate.objects.filter(edition=before, paper=shown).update(hidden=True)
    assert corpus.load(edition).paper_ids.tolist() == [shown.pk]


def test_a_pool_reaches_seven_editions_back_and_leaves_out_open_and_later_ones() -> None:
    papers = [a_paper() for _ in range(9)]
    for age, paper in enumerate(papers[1:], start=1):
        a_frozen_edition(TODAY - age * DAY, paper)
    Edition.objects.filter(day=TODAY - 3 * DAY).update(state=Edition.State.OPEN)
    edition = a_frozen_edition(TODAY, papers[0])
    a_frozen_edition(TODAY + DAY, a_paper())
    assert corpus.load(edition).paper_ids.tolist() == [
        paper.pk for age, paper in enumerate(papers) if age not in {3, 8}
    ]


def test_a_full_pool_keeps_the_newest_pinned_and_most_voted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "MOST_PAPERS", 3)
    pinned, voted, unnoticed, old = a_paper(), a_paper(upvotes=9), a_paper(upvotes=1), a_paper(upvotes=99)
    a_frozen_edition(TODAY - DAY, old)
    edition = a_frozen_edition(TODAY, a_paper(), unnoticed, voted, pinned)
    Candidate.objects.filter(edition=edition, paper=pinned).update(pin=1)
    assert corpus.load(edition).paper_ids.tolist() == sorted([pinned.pk, voted.pk, unnoticed.pk])


def test_picks_come_from_what_the_tables_say() -> None:
    vision = a_topic("vision")
    pinned = a_paper("Quiet")
    followed = a_paper("Seeing", vision)
    matched = a_paper("Gaussian splatting", authors=["Zoë Ünal"])
    voted = a_paper("Loud", upvotes=142)
    edition = a_frozen_edition(TODAY, pinned, followed, matched, voted)
    Candidate.objects.filter(edition=edition, paper=pinned).update(pin=1)
    Candidate.objects.filter(edition=edition, paper=voted).update(comments=3, featured_on=TODAY - DAY)
    Paper.objects.filter(pk=voted.pk).update(upvotes=99_999)  # after the freeze: not this edition's signal
    terms.compute(edition)
    pool = corpus.load(edition)
    assert reasons_of(pool, topics={vision.pk: 1.0}, words=("gaussian splats",)) == {
        pinned.pk: "editor’s pick",
        followed.pk: "you follow Vision",
        matched.pk: "matches “gaussian splats”",
        voted.pk: "142 votes",
    }
    assert ids_of(pool, authors=("Zoe Unal",))[1] == matched.pk


def test_queries_do_not_grow_with_the_papers(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    vision = a_topic("vision")
    for age in range(1, 9):
        a_frozen_edition(TODAY - age * DAY, *[a_paper("", vision) for _ in range(5)])
    edition = a_frozen_edition(TODAY, *[a_paper("", vision) for _ in range(40)])
    terms.compute(edition)
    with django_assert_max_num_queries(12):
        assert corpus.load(edition).size == 70


def test_an_edition_without_candidates_is_an_empty_pool() -> None:
    edition = a_frozen_edition(TODAY)
    terms.compute(edition)
    assert ids_of(corpus.load(edition)) == []


def test_damaged_terms_are_an_error_not_a_silent_guess() -> None:
    edition = a_frozen_edition(TODAY, a_paper())
    terms.compute(edition)
    edition.terms.packed = b"\x00" * 9
    edition.terms.save()
    with pytest.raises(VocabularyError):
        corpus.load(edition)
