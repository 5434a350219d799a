"""The walk through an edition's digests: exact, in pages, and the same after any interruption."""

from datetime import timedelta
from typing import Any

import pytest

from digest import tallying
from digest.models import CandidateFigures, Delivery, Edition, EditionTally
from tests.cast import NOON, a_reader
from tests.digest.desk.afterwards import HOUR, a_delivery, an_edition_that_left, follow

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition() -> Edition:
    return an_edition_that_left()


def found(edition: Edition) -> dict[str, Any]:
    kept: dict[str, Any] = EditionTally.objects.get(edition=edition).found
    return kept


def of(edition: Edition, start: str) -> CandidateFigures:
    return CandidateFigures.objects.get(candidate__edition=edition, candidate__paper__title__startswith=start)


def test_papers_are_counted_by_digests_pins_and_people(edition: Edition) -> None:
    assert tallying.walk(edition, at=NOON)
    splats = of(edition, "Splats")
    assert (splats.digests, splats.pinned, splats.agreed, splats.clicks) == (40, 40, 10, 5)
    assert splats.robots == 1, "the scanner that followed every link of one mail"
    proofs = of(edition, "A proof")
    assert (proofs.pinned, proofs.clicks) == (0, 0)
    assert 0 < proofs.digests < 40
    numbers = found(edition)
    assert (numbers["agreed"], numbers["clicked"], numbers["scanned"]) == (10, 5, 1)


def test_each_digest_counts_once_by_the_worst_that_was_heard(edition: Edition) -> None:
    Delivery.objects.filter(complained_at__isnull=False).update(bounced_at=NOON, soft_bounced_at=NOON)
    tallying.walk(edition, at=NOON)
    assert found(edition)["heard"] == {"delivered": 36, "soft_bounced": 2, "bounced": 1, "complained": 1}


def test_hours_hold_what_left_and_what_arrived_in_them(edition: Edition) -> None:
    tallying.walk(edition, at=NOON)
    hours = found(edition)["hours"]
    assert sum(accepted for accepted, _ in hours.values()) == 40
    assert sum(delivered for _, delivered in hours.values()) == 38
    assert min(hours) == "2026-03-04T12"


def test_what_was_not_accepted_is_not_counted(edition: Edition) -> None:
    paper = of_paper = Delivery.objects.values_list("picks", flat=True)[0][0][0]
    for state in ("unknown", "rejected", "skipped_empty", "expired"):
        a_delivery(edition, a_reader(), [paper, of_paper], state=state)
    tallying.walk(edition, at=NOON)
    assert of(edition, "Splats").digests == 40


@pytest.mark.parametrize("page", [1, 7, 39, 40, 41])
def test_pages_and_interruptions_change_nothing(
    edition: Edition, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    tallying.walk(edition, at=NOON)
    whole = found(edition)
    EditionTally.objects.all().delete()
    monkeypatch.setattr(tallying, "PAGE", page)
    runs = 0
    while not tallying.walk(
        edition, at=NOON, seconds=1e-9
    ):  # one page a run, as if it were killed after each
        runs += 1
        if page < 40:
            assert EditionTally.objects.get().upto > 0
    assert runs == 40 // page
    assert found(edition) == whole


def test_a_second_worker_at_the_same_page_does_not_count_it_twice(
    edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallying, "PAGE", 10)
    mine, theirs = EditionTally.objects.create(edition=edition), EditionTally.objects.get()
    assert tallying._write(theirs, upto=5, working={})
    assert not tallying._write(mine, upto=5, working={})


def test_facts_that_come_later_are_in_the_next_walk_and_not_counted_on_top(edition: Edition) -> None:
    tallying.walk(edition, at=NOON)
    Delivery.objects.filter(complained_at=None).update(complained_at=NOON)
    tallying.walk(edition, at=NOON + HOUR)
    assert found(edition)["heard"] == {"complained": 40}
    assert of(edition, "Splats").digests == 40


@pytest.mark.usefixtures("edition")
def test_an_edition_is_reckoned_often_while_young_then_rarely_then_no_more() -> None:
    assert tallying.tally_due(at=NOON) == 1
    assert tallying.tally_due(at=NOON + timedelta(minutes=4)) == 0
    assert tallying.tally_due(at=NOON + timedelta(minutes=5)) == 1
    assert tallying.tally_due(at=NOON + timedelta(days=2)) == 1
    assert tallying.tally_due(at=NOON + timedelta(days=2, minutes=30)) == 0
    assert tallying.tally_due(at=NOON + timedelta(days=2, hours=1)) == 1
    assert tallying.tally_due(at=NOON + timedelta(days=13)) == 1
    assert tallying.tally_due(at=NOON + timedelta(days=15)) == 0


def test_two_links_pressed_quickly_are_a_persons_three_a_programs() -> None:
    edition = an_edition_that_left(readers=1)
    Delivery.objects.all().delete()
    papers = list(edition.candidates.order_by("pk").values_list("paper_id", flat=True)[:3])
    quick = timedelta(seconds=0.5)
    person = a_delivery(edition, a_reader(), papers, clicks_counted=True)
    for place, paper in enumerate(papers[:2]):
        follow(person, paper, after=HOUR + place * quick)
    program = a_delivery(edition, a_reader(), papers, clicks_counted=True)
    for place, paper in enumerate(papers):
        follow(program, paper, after=HOUR + place * quick)
    slow = a_delivery(edition, a_reader(), papers, clicks_counted=True)
    for place, paper in enumerate(papers):
        follow(slow, paper, after=HOUR + place * timedelta(seconds=9))
    tallying.walk(edition, at=NOON)
    rows = [CandidateFigures.objects.get(candidate__paper=paper) for paper in papers]
    assert [(row.clicks, row.robots) for row in rows] == [(2, 1), (2, 1), (1, 1)]


def test_a_back_issue_is_as_old_as_its_approval(edition: Edition) -> None:
    weeks_later = NOON + timedelta(days=20)
    assert tallying.tally_due(at=weeks_later) == 0
    Edition.objects.filter(pk=edition.pk).update(approved_at=weeks_later - HOUR)
    assert tallying.tally_due(at=weeks_later) == 1
