"""Tests of digest.previewing: what today's digest would have brought a reader."""

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from digest import corpus, curation, previewing
from digest.models import Candidate, Edition, EditionTerms, Paper
from digest.previewing import Asked, Preview, preview
from digest.ranking import Profile, rank
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
DAY = timedelta(days=1)


def titles(found: Preview) -> list[str]:
    return [shown.paper.title for shown in found.papers]


def because(found: Preview) -> dict[str, str]:
    return {shown.paper.title: shown.reason for shown in found.papers}


def test_a_preview_is_what_the_ranking_brings_a_new_reader_of_five_papers() -> None:
    vision, robots = a_topic("vision"), a_topic("robots")
    papers = [a_paper(f"On thing {n}", *[vision, robots][: n % 3], upvotes=n) for n in range(30)]
    a_frozen_edition(TODAY - DAY, *papers[25:])
    edition = a_frozen_edition(TODAY, *papers[:25])
    profile = Profile({vision.pk: 1.0, robots.pk: 2.0}, ("thing 7",), (), ("thing 5",), 5, frozenset(), None)
    expected = rank(corpus.load(edition), [profile])[0]
    found = preview(Asked({vision.pk: 1, robots.pk: 2}, ["thing 7"], [], ["thing 5"]), at=NOON)
    assert [shown.paper.key for shown in found.papers] == [pick.paper_id for pick in expected]
    assert len(expected) == 5
    assert (found.day, found.today, found.personal) == (TODAY, True, True)


def test_each_paper_says_why_it_is_there() -> None:
    vision = a_topic("vision")
    pinned = a_paper("Chosen by hand")
    edition = a_frozen_edition(
        TODAY,
        pinned,
        a_paper("Pictures", vision),
        a_paper("Splats", abstract="We use Gaussian splatting."),
        a_paper("Hers", authors=["Grace Sample"]),
        a_paper("Loved", upvotes=142),
    )
    Candidate.objects.filter(edition=edition, paper=pinned).update(pin=1)
    asked = Asked({vision.pk: 1}, ["gaussian splatting"], ["Grace Sample"])
    assert because(preview(asked, at=NOON)) == {
        "Chosen by hand": "it is the editor’s pick",
        "Pictures": "you follow Vision",
        "Splats": "it matches “gaussian splatting”",
        "Hers": "it is by Grace Sample, whom you follow",
        "Loved": "it has 142 votes",
    }


def test_who_asks_for_nothing_sees_what_everybody_gets() -> None:
    a_frozen_edition(TODAY, a_paper("Quiet"), a_paper("Loud", upvotes=9))
    found = preview(at=NOON)
    assert because(found) == {"Loud": "it has 9 votes", "Quiet": "it is new today"}
    assert not found.personal


def test_an_older_edition_does_not_speak_of_today() -> None:
    a_frozen_edition(TODAY - DAY, a_paper("Quiet"))
    found = preview(at=NOON)
    assert because(found) == {"Quiet": "it is new that day"}
    assert (found.today, found.written) == (False, "Tuesday 3 March")


def test_the_newest_published_edition_with_papers_is_the_one() -> None:
    a_frozen_edition(TODAY - 2 * DAY, a_paper("Older"))
    a_frozen_edition(TODAY - DAY, a_paper("Out"))
    a_frozen_edition(TODAY, state=Edition.State.EMPTY)
    a_frozen_edition(TODAY + DAY, a_paper("On the desk"), state=Edition.State.FROZEN)
    assert titles(preview(at=NOON)) == ["Out"]


def test_without_an_edition_there_is_a_preview_of_nothing() -> None:
    assert preview(Asked(words=["proofs"]), at=NOON) == Preview()


def test_an_edition_whose_papers_are_all_hidden_is_a_preview_without_papers() -> None:
    edition = a_frozen_edition(TODAY, a_paper())
    Candidate.objects.filter(edition=edition).update(hidden=True)
    found = preview(at=NOON)
    assert (found.day, found.papers) == (TODAY, ())


def test_nothing_fitting_is_said_and_the_trend_fills_in() -> None:
    a_frozen_edition(TODAY, a_paper("Loud", upvotes=9), a_paper("Faint"))
    found = preview(Asked(words=["knitting looms", "“proof assistants”"], authors=["Nobody, N."]), at=NOON)
    assert because(found) == {"Loud": "it has 9 votes"}
    assert (found.personal, found.follows, found.fitting) == (True, True, 0)
    assert found.missed == ("Nobody, N.", "knitting looms", "proof assistants")


def test_what_fits_is_counted_once_and_without_what_is_excluded() -> None:
    vision = a_topic("vision")
    a_frozen_edition(
        TODAY,
        a_paper("Splats", vision, abstract="Gaussian splatting."),
        a_paper("More splats", abstract="Gaussian splatting again."),
        a_paper("Barred", vision, abstract="Blockchain."),
    )
    found = preview(Asked({vision.pk: 1}, ["gaussian splatting"], [], ["blockchain"]), at=NOON)
    assert (found.fitting, found.missed) == (2, ())


def test_words_that_name_no_subject_are_told_and_are_no_interest() -> None:
    a_frozen_edition(TODAY, a_paper("The latest papers about us"))
    found = preview(Asked(words=["the latest papers", "???"]), at=NOON)
    assert found.idle == ("the latest papers", "???")
    assert not found.follows


def test_a_topic_no_edition_knows_is_missed_and_breaks_nothing() -> None:
    a_frozen_edition(TODAY, a_paper(upvotes=9))
    found = preview(Asked({999_999: 1}), at=NOON)
    assert (found.fitting, found.missed, len(found.papers)) == (0, ("a topic of yours",), 1)


def test_a_preview_costs_few_queries_once_the_pool_is_in_memory(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    vision = a_topic("vision")
    a_frozen_edition(TODAY, *[a_paper("", vision) for _ in range(40)])
    preview(at=NOON)
    with django_assert_num_queries(5):
        preview(Asked({vision.pk: 1}, ["question", "care"], ["Ada Example"]), at=NOON)


def test_what_a_curator_hides_or_pins_shows_at_once() -> None:
    one, two = a_paper("One", upvotes=9), a_paper("Two", upvotes=3)
    edition = a_frozen_edition(TODAY, one, two, state=Edition.State.PAUSED)
    assert titles(preview(at=NOON)) == ["One", "Two"]
    curation.hide(edition, one)
    assert titles(preview(at=NOON)) == ["Two"]
    curation.pin(edition, one)
    assert because(preview(at=NOON)) == {"One": "it is the editor’s pick", "Two": "it has 3 votes"}


def test_papers_matched_anew_to_a_topic_show_at_once() -> None:
    vision, paper = a_topic("vision", matched_at=NOON), a_paper("Pictures")
    a_frozen_edition(TODAY, paper)
    assert preview(Asked({vision.pk: 1}), at=NOON).fitting == 0
    paper.topics.add(vision)
    a_topic("vision", matched_at=NOON + timedelta(hours=1))
    assert preview(Asked({vision.pk: 1}), at=NOON).fitting == 1


def test_a_paper_withdrawn_since_the_pool_was_built_is_left_out() -> None:
    one, two = a_paper("One"), a_paper("Two")
    a_frozen_edition(TODAY, one, two)
    preview(at=NOON)
    Paper.objects.filter(pk=one.pk).update(withdrawn_at=NOON)
    assert titles(preview(at=NOON)) == ["Two"]


def test_at_most_three_pools_are_kept() -> None:
    for age in (4, 3, 2, 1, 0):
        a_frozen_edition(TODAY - age * DAY, a_paper())
        preview(at=NOON)
    assert previewing.kept_pool.cache_info().currsize == 3


def test_an_edition_that_cannot_be_read_is_a_preview_that_says_so() -> None:
    edition = a_frozen_edition(TODAY, a_paper())
    EditionTerms.objects.create(edition=edition, documents=1, packed=b"broken")
    assert preview(at=NOON) == Preview(broken=True)


def test_of_more_than_a_preview_looks_up_the_first_count_and_the_rest_is_told() -> None:
    a_frozen_edition(TODAY, a_paper("Kites"), a_paper("Bells"), a_paper("Hers", authors=["Grace Sample"]))
    lists = [", ".join(f"x{line}y{place}" for place in range(10)) for line in range(7)]
    found = preview(Asked(words=["kites", *lists, "bells"], authors=["Grace Sample"]), at=NOON)
    assert because(found)["Kites"] == "it matches “kites”"
    assert found.beyond == 53
    assert found.fitting == 1, "neither bells nor the author are among the first twenty"
    assert len(found.missed) == previewing.MOST_PHRASES - 1
    enough = Asked(words=["kites, bells", lists[0]], authors=["Grace Sample"])
    assert (preview(enough, at=NOON).beyond, preview(enough, at=NOON).fitting) == (0, 3)


def test_what_somebody_never_wants_to_see_is_left_out_however_much_they_follow() -> None:
    a_frozen_edition(TODAY, a_paper("Kites"), a_paper("Bells"))
    found = preview(Asked(words=["kites", *(f"subject{n}" for n in range(40))], excluded=["bells"]), at=NOON)
    assert titles(found) == ["Kites"]
    assert found.beyond == 22


def test_an_excluded_name_stays_one_name_however_much_else_is_asked() -> None:
    a_frozen_edition(
        TODAY, a_paper("A model of weather", upvotes=9), a_paper("Hers", upvotes=9, authors=["Ada Model"])
    )
    for others in 1, 40:
        asked = Asked(words=[f"subject{n}" for n in range(others)], excluded=["Model, Ada"])
        found = preview(asked, at=NOON)
        assert "Hers" not in titles(found)
        assert found.beyond == max(0, others + 1 - previewing.MOST_PHRASES)
    edition = Edition.objects.get()
    both = Profile({}, (), ("N. N.",), ("Model, Ada",), 5, frozenset(), None)
    picked = [pick.paper_id for pick in rank(corpus.load(edition), [both])[0]]
    crowded = preview(Asked(authors=["N. N."] * 30, excluded=["Model, Ada"]), at=NOON)
    assert [shown.paper.key for shown in crowded.papers] == picked
    assert titles(crowded) == ["A model of weather"]


def test_what_a_preview_looks_up_is_what_the_notes_on_abuse_say() -> None:
    notes = (settings.BASE_DIR / "docs" / "abuse.md").read_text()
    assert f"{previewing.MOST_PHRASES} subjects each" in notes


def test_an_edition_called_off_is_no_preview() -> None:
    a_frozen_edition(TODAY - DAY, a_paper("Of yesterday"))
    edition = a_frozen_edition(TODAY, a_paper("Called off"), approved_at=NOON)
    assert titles(preview(at=NOON)) == ["Called off"]
    curation.cancel(edition, at=NOON)
    assert titles(preview(at=NOON)) == ["Of yesterday"]


def test_the_pool_of_a_preview_holds_the_papers_it_can_show_alone() -> None:
    old, new = a_paper("Old"), a_paper("New")
    a_frozen_edition(TODAY - DAY, old, new)
    edition = a_frozen_edition(TODAY, new)
    assert list(previewing.pool_of(edition).paper_ids) == [new.pk]
    assert list(corpus.load(edition).paper_ids) == [old.pk, new.pk]


@pytest.mark.django_db(transaction=True)
def test_threads_that_come_together_wait_for_one_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    a_frozen_edition(TODAY, *[a_paper(upvotes=n) for n in range(20)])
    built, found, load = [], [], corpus.load
    gate = threading.Barrier(4)

    def counted(edition: Edition, *, most: int) -> object:
        built.append(edition.pk)
        return load(edition, most=most)

    def ask() -> None:
        gate.wait(10)
        try:
            found.append(titles(preview(at=NOON)))
        finally:
            connection.close()

    monkeypatch.setattr(corpus, "load", counted)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(built) == 1
    assert len(found) == 4
    assert all(one == found[0] for one in found)
