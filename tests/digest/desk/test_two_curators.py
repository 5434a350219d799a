"""Two curators at one desk: what is harmless succeeds for both; nobody overwrites what they have not seen."""

import threading
from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection

from digest import curation
from digest.curation import By, ConflictError
from digest.models import Decision, Edition, Paper
from tests.cast import a_frozen_edition, a_paper
from tests.digest.desk.curators import Curator, field_of, said

DAY = date(2026, 3, 4)


def a_desk() -> tuple[Edition, list[Paper]]:
    papers = [a_paper(name, upvotes=10 - place) for place, name in enumerate(("one", "two", "three", "four"))]
    return a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN), papers


@pytest.fixture
def desk() -> tuple[Edition, list[Paper]]:
    return a_desk()


@pytest.fixture
def papers(desk: tuple[Edition, list[Paper]]) -> list[Paper]:
    return desk[1]


@pytest.fixture
def maria(db: None, desk: tuple[Edition, list[Paper]]) -> Curator:  # noqa: ARG001
    return Curator.of("maria", desk[0])


@pytest.fixture
def noor(maria: Curator) -> Curator:
    return Curator.of("noor", maria.edition)


pytestmark = pytest.mark.django_db


def pins(edition: Edition) -> list[str]:
    found = edition.candidates.exclude(pin=None).order_by("pin")
    return list(found.values_list("paper__title", flat=True))


def test_decisions_about_different_papers_both_succeed(
    maria: Curator, noor: Curator, papers: list[Paper]
) -> None:
    for person, deed, paper, more in (
        (maria, "pin", papers[0], {}),
        (noor, "pin", papers[1], {}),
        (maria, "hide", papers[2], {}),
        (noor, "note", papers[3], {"note": "Mine"}),
        (maria, "note", papers[0], {"note": "Ours"}),
    ):
        assert person.press(deed, paper, **more).status_code == 302, deed
    assert pins(maria.edition) == ["one", "two"]
    assert Decision.objects.count() == 5


@pytest.mark.parametrize(
    ("first", "second"), [("hide", "pin"), ("pin", "hide"), ("pin", "pin"), ("hide", "hide")]
)
def test_the_second_to_decide_about_a_paper_is_told_who_was_first(
    maria: Curator, noor: Curator, papers: list[Paper], first: str, second: str
) -> None:
    maria.press(first, papers[0])
    before = maria.edition.candidates.values_list("pin", "hidden").get(paper=papers[0])
    answer = noor.press(second, papers[0])
    assert answer.status_code == 409
    told = said(answer)
    assert told.startswith(f"maria {'hid' if first == 'hide' else 'pinned'} “one” at ")
    assert "Nothing of yours was changed" in told
    assert maria.edition.candidates.values_list("pin", "hidden").get(paper=papers[0]) == before
    assert Decision.objects.count() == 1
    # The page that came back shows what stands, and deciding on it works.
    revision = field_of(answer, "//form[@id='pb-deeds']/input[@name='revision']")
    assert noor.press(second, papers[0], revision=revision).status_code == 302


def test_a_note_typed_over_another_is_not_lost(maria: Curator, noor: Curator, papers: list[Paper]) -> None:
    maria.press("note", papers[0], note="Maria's line")
    answer = noor.press("note", papers[0], note="Noor's line")
    assert answer.status_code == 409
    assert "maria changed the note on “one”" in said(answer)
    assert "It now says: “Maria's line”" in said(answer)
    assert field_of(answer, f"//input[@id='typed-{papers[0].pk}']") == "Noor's line"
    assert noor.edition.candidates.get(paper=papers[0]).note == "Maria's line"
    revision = field_of(answer, f"//li[@id='paper-{papers[0].pk}']//input[@name='revision']")
    assert noor.press("note", papers[0], note="Both lines", revision=revision).status_code == 302
    assert noor.edition.candidates.get(paper=papers[0]).note == "Both lines"


@pytest.mark.parametrize(("field", "stored"), [("word", "note"), ("subject", "subject")])
def test_words_typed_over_others_are_not_lost(maria: Curator, noor: Curator, field: str, stored: str) -> None:
    maria.post("edition_words", **{field: "Maria's words"})
    answer = noor.post("edition_words", **{field: "Noor's words"})
    assert answer.status_code == 409
    assert "It now says: “Maria's words”" in said(answer)
    assert field_of(answer, f"//*[@id='pb-{field}']") == "Noor's words"
    noor.edition.refresh_from_db()
    assert getattr(noor.edition, stored) == "Maria's words"


def test_word_and_subject_are_two_things(maria: Curator, noor: Curator) -> None:
    assert maria.post("edition_words", word="Hello").status_code == 302
    assert noor.post("edition_words", subject="Hello").status_code == 302


def test_the_order_of_pins_is_one_thing_and_a_new_pin_at_its_end_is_not(
    maria: Curator, noor: Curator, papers: list[Paper]
) -> None:
    one, two, three, four = papers
    for paper in (one, two, three):
        curation.pin(maria.edition, paper)
    maria.look()
    noor.look()
    assert maria.press("place", three, 1).status_code == 302
    answer = noor.press("place", two, 1)
    assert answer.status_code == 409
    assert "maria pinned “three”" in said(answer)
    assert noor.press("pin", four).status_code == 302
    assert pins(noor.edition) == ["three", "one", "two", "four"]


def test_who_approved_while_one_was_shaping_is_said(
    maria: Curator, noor: Curator, papers: list[Paper]
) -> None:
    curation.approve(maria.edition, at=maria.edition.opened_at, by=By(None, "maria"))
    answer = noor.press("note", papers[0], note="Too late")
    assert answer.status_code == 422
    assert "maria approved the edition" in said(answer)
    assert field_of(answer, "//textarea[@readonly]") == "Too late"


def at_once(*deeds: Callable[[], object]) -> list[BaseException | object]:
    """Do all `deeds` in threads of their own at the same moment; return what came of each."""
    outcomes: list[BaseException | object] = [None] * len(deeds)
    start = threading.Barrier(len(deeds))

    def do(place: int) -> None:
        start.wait()
        try:
            outcomes[place] = deeds[place]()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_one_note_stands_and_the_other_is_told() -> None:
    edition, papers = a_desk()
    seen = edition.revision
    outcomes = at_once(
        *(
            lambda name=name: curation.annotate(edition, papers[0], name, by=By(None, name), seen=seen)
            for name in ("maria", "noor", "olga", "pim")
        )
    )
    decided = [one for one in outcomes if isinstance(one, Decision)]
    assert len(decided) == 1
    assert sum(isinstance(one, ConflictError) for one in outcomes) == 3
    assert edition.candidates.get(paper=papers[0]).note == decided[0].by_name


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_pins_of_all_get_places_of_their_own() -> None:
    edition, papers = a_desk()
    seen = edition.revision
    outcomes = at_once(*(lambda paper=paper: curation.pin(edition, paper, seen=seen) for paper in papers))
    assert all(isinstance(one, Decision) for one in outcomes)
    places = edition.candidates.order_by("pin").values_list("pin", flat=True)
    assert list(places) == [1, 2, 3, 4]
    assert sorted(Decision.objects.values_list("revision", flat=True)) == [1, 2, 3, 4]


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_an_undo_happens_once() -> None:
    edition, papers = a_desk()
    hidden = curation.hide(edition, papers[0])
    assert hidden is not None
    outcomes = at_once(*[lambda: curation.undo(hidden)] * 3)
    assert sum(isinstance(one, Decision) for one in outcomes) == 1
    assert sum(isinstance(one, curation.CurationError) for one in outcomes) == 2
