"""Who changed what, and the way back: a decision is taken back once, unless something changed since."""

from datetime import date

import pytest

from digest import curation
from digest.curation import By, CurationError
from digest.models import Appearance, Decision, Edition, Paper
from tests.cast import NOON, a_frozen_edition, a_paper, appeared
from tests.digest.desk.curators import Curator, said

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)
Shape = list[tuple[str, int | None, bool, str]]


@pytest.fixture
def papers() -> list[Paper]:
    return [a_paper(name, upvotes=10 - place) for place, name in enumerate(("one", "two", "three"))]


@pytest.fixture
def edition(papers: list[Paper]) -> Edition:
    return a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN)


def shape(edition: Edition) -> Shape:
    found = edition.candidates.order_by("paper_id")
    return list(found.values_list("paper__title", "pin", "hidden", "note"))


def decided(decision: Decision | None) -> Decision:
    assert decision is not None
    return decision


@pytest.mark.parametrize(
    "deed",
    [
        lambda edition, papers: curation.pin(edition, papers[2]),
        lambda edition, papers: curation.pin(edition, papers[1], 1),
        lambda edition, papers: curation.unpin(edition, papers[0]),
        lambda edition, papers: curation.hide(edition, papers[0]),
        lambda edition, papers: curation.annotate(edition, papers[0], "Another"),
        lambda edition, papers: curation.annotate(edition, papers[0], ""),
        lambda edition, _papers: curation.add(edition, a_paper("four")),
    ],
    ids=["pin", "order", "unpin", "hide", "note", "no note", "add"],
)
def test_undoing_puts_back_what_stood_there_and_redoing_what_stood_there_since(
    edition: Edition, papers: list[Paper], deed: object
) -> None:
    curation.pin(edition, papers[0])
    curation.pin(edition, papers[1])
    curation.annotate(edition, papers[0], "A line")
    before = shape(edition)
    assert callable(deed)
    decision = decided(deed(edition, papers))
    after = shape(edition)
    assert after != before
    back = curation.undo(decision, by=By(None, "maria"))
    assert shape(edition) == before
    assert (back.undoes, back.by_name) == (decision, "maria")
    edition.refresh_from_db()
    assert edition.revision == 5
    assert edition.candidate_count == 3
    if decision.kind != Decision.Kind.ADDED:
        curation.undo(back)
        assert shape(edition) == after


def test_showing_again_is_taken_back(edition: Edition, papers: list[Paper]) -> None:
    curation.hide(edition, papers[0])
    shown = decided(curation.show(edition, papers[0]))
    curation.undo(shown)
    assert edition.candidates.get(paper=papers[0]).hidden


def test_pinning_a_hidden_paper_is_taken_back_whole(edition: Edition, papers: list[Paper]) -> None:
    curation.hide(edition, papers[0])
    curation.undo(decided(curation.pin(edition, papers[0])))
    row = edition.candidates.get(paper=papers[0])
    assert (row.pin, row.hidden) == (None, True)


@pytest.mark.parametrize("name", ["annotate_edition", "name_edition"])
def test_word_and_subject_are_taken_back(edition: Edition, name: str) -> None:
    say = getattr(curation, name)
    say(edition, "The first")
    second = decided(say(edition, "The second"))
    curation.undo(second)
    edition.refresh_from_db()
    assert "The first" in {edition.note, edition.subject}


def test_what_others_pinned_since_stays(edition: Edition, papers: list[Paper]) -> None:
    first = decided(curation.pin(edition, papers[0]))
    curation.pin(edition, papers[1])
    curation.pin(edition, papers[2])
    curation.undo(first)
    assert [row[1] for row in shape(edition)] == [None, 1, 2]


def test_a_decision_is_not_taken_back_when_the_same_was_changed_since(
    edition: Edition, papers: list[Paper]
) -> None:
    first = decided(curation.annotate(edition, papers[0], "First"))
    curation.annotate(edition, papers[0], "Second", by=By(None, "noor"))
    with pytest.raises(CurationError, match="noor changed the note"):
        curation.undo(first)
    assert edition.candidates.get(paper=papers[0]).note == "Second"
    pinned = decided(curation.pin(edition, papers[1]))
    curation.hide(edition, papers[1], by=By(None, "noor"))
    with pytest.raises(CurationError, match="noor hid"):
        curation.undo(pinned)


def test_an_order_is_not_taken_back_over_another(edition: Edition, papers: list[Paper]) -> None:
    for paper in papers:
        curation.pin(edition, paper)
    moved = decided(curation.pin(edition, papers[2], 1))
    curation.pin(edition, papers[1], 1, by=By(None, "noor"))
    with pytest.raises(CurationError, match="noor pinned “two”"):
        curation.undo(moved)


def test_nothing_is_taken_back_twice(edition: Edition, papers: list[Paper]) -> None:
    hidden = decided(curation.hide(edition, papers[0]))
    curation.undo(hidden, by=By(None, "maria"))
    curation.hide(edition, papers[0])
    with pytest.raises(CurationError, match="taken back already: maria showed"):
        curation.undo(hidden)


def test_what_cannot_be_taken_back_says_so(edition: Edition, papers: list[Paper]) -> None:
    hidden = decided(curation.hide(edition, papers[0]))
    pinned = decided(curation.pin(edition, papers[1]))
    curation.approve(edition, at=NOON)
    approved = edition.decisions.get(kind=Decision.Kind.APPROVED)
    with pytest.raises(CurationError, match="cannot be undone here"):
        curation.undo(approved)
    for decision in (hidden, pinned):
        with pytest.raises(CurationError, match="approved"):
            curation.undo(decision)
    Edition.objects.update(state=Edition.State.SENT)
    curation.undo(hidden)
    assert not edition.candidates.get(paper=papers[0]).hidden


def test_taking_out_an_added_paper_gives_back_its_appearances(edition: Edition) -> None:
    paper = a_paper("four")
    arrival = appeared(paper, DAY)
    added = curation.add(edition, paper)
    arrival.refresh_from_db()
    assert arrival.edition == edition
    curation.undo(added)
    arrival.refresh_from_db()
    assert arrival.edition is None
    Appearance.objects.all().delete()
    curation.annotate(
        edition, edition.candidates.get(paper=curation.add(edition, paper).paper).paper, "A line"
    )
    with pytest.raises(CurationError, match="Undo that first"):
        curation.undo(edition.decisions.filter(kind=Decision.Kind.ADDED)[0])


def test_taking_a_paper_out_is_not_taken_back_whoever_added_it_again_since(edition: Edition) -> None:
    paper = a_paper("four")
    out = curation.undo(curation.add(edition, paper, by=By(None, "maria")))
    curation.add(edition, paper, by=By(None, "noor"))
    with pytest.raises(CurationError, match="add it again"):
        curation.undo(out)
    assert edition.candidates.filter(paper=paper).exists()


def test_a_decision_is_added_and_never_changed(edition: Edition, papers: list[Paper]) -> None:
    decision = decided(curation.hide(edition, papers[0]))
    with pytest.raises(TypeError, match="never changed"):
        decision.save()
    with pytest.raises(TypeError, match="never changed"):
        Decision.objects.all().delete()


def test_the_panel_tells_who_did_what_and_undoes_it(edition: Edition, papers: list[Paper]) -> None:
    maria, noor = Curator.of("maria", edition), Curator.of("noor", edition)
    maria.press("note", papers[0], note="<b>Mine</b>")
    noor.press("hide", papers[1])
    page = maria.look()
    assert "maria changed the note on “one”" in page
    assert "noor hid “two”" in page
    assert "&lt;b&gt;Mine&lt;/b&gt;" in page
    hidden = edition.decisions.get(kind=Decision.Kind.HIDDEN)
    assert maria.post("edition_undo", decision=hidden.pk).status_code == 302
    assert "taken back by maria" in maria.look()
    answer = noor.post("edition_undo", decision=hidden.pk)
    assert answer.status_code == 422
    assert "taken back already" in said(answer)


def test_the_last_of_ones_own_is_taken_back_then_the_one_before(
    edition: Edition, papers: list[Paper]
) -> None:
    maria, noor = Curator.of("maria", edition), Curator.of("noor", edition)
    maria.press("pin", papers[0])
    maria.press("hide", papers[1])
    noor.press("hide", papers[2])
    for _ in range(2):
        assert maria.post("edition_undo", decision="last").status_code == 302
    assert [(row[1], row[2]) for row in shape(edition)] == [(None, False), (None, False), (None, True)]
    answer = maria.post("edition_undo", decision="last")
    assert "nothing of yours to undo" in said(answer)
    other = a_frozen_edition(date(2026, 3, 3), a_paper(), state=Edition.State.FROZEN)
    foreign = decided(curation.hide(other, other.candidates.get().paper))
    assert maria.post("edition_undo", decision=foreign.pk).status_code == 422
