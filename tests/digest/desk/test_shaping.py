"""Shaping an edition at its desk: what is shown, searched, pinned, hidden, noted, and who may."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from digest import curation
from digest.models import Decision, Edition, EditionReach, Paper
from subscribers.models import AuditEvent
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic, appeared
from tests.digest.desk.curators import Curator, field_of, said, titles

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)


@pytest.fixture
def papers() -> list[Paper]:
    vision = a_topic("vision")
    return [
        a_paper("Alpha", vision, upvotes=5, authors=["Zoë Müller"]),
        a_paper("Beta", upvotes=50),
        a_paper(
            "Gamma", upvotes=20, thumbnail="thumbnails/abc.webp", thumbnail_width=320, thumbnail_height=180
        ),
    ]


@pytest.fixture
def edition(papers: list[Paper]) -> Edition:
    return a_frozen_edition(DAY, *papers, state=Edition.State.FROZEN)


@pytest.fixture
def maria(edition: Edition) -> Curator:
    return Curator.of("maria", edition)


def test_papers_stand_by_trend_and_pins_before_them_in_their_order(
    maria: Curator, papers: list[Paper]
) -> None:
    alpha, beta, gamma = papers
    assert titles(maria.look()) == ["Beta", "Gamma", "Alpha"]
    maria.press("pin", alpha)
    maria.press("pin", gamma)
    assert titles(maria.look()) == ["Alpha", "Gamma", "Beta"]
    maria.press("place", gamma, 1)
    assert titles(maria.look()) == ["Gamma", "Alpha", "Beta"]
    maria.press("hide", beta)
    page = maria.look()
    assert "1 hidden" in page
    assert "2 of 9 pins" in page


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ({"q": "muller ZOE"}, ["Alpha"]),
        ({"q": "beta"}, ["Beta"]),
        ({"q": "nothing like it"}, []),
        ({"only": "picture"}, ["Gamma"]),
        ({"only": "hidden"}, ["Beta"]),
        ({"only": "pinned"}, ["Gamma"]),
        ({"only": "noted"}, ["Alpha"]),
        ({"only": "nonsense", "topic": "x", "pages": "-1"}, ["Gamma", "Beta", "Alpha"]),
        ({"source": "arxiv"}, []),
        ({"source": "huggingface", "q": "a", "only": "noted"}, ["Alpha"]),
        ({"q": "\x00"}, ["Gamma", "Beta", "Alpha"]),
    ],
)
def test_search_and_filters_find(
    maria: Curator, edition: Edition, papers: list[Paper], wish: dict[str, str], found: list[str]
) -> None:
    curation.pin(edition, papers[2])
    curation.hide(edition, papers[1])
    curation.annotate(edition, papers[0], "Read it")
    page = maria.look(**wish)
    assert [title.removeprefix("Hidden").strip() for title in titles(page)] == found
    if not found:
        assert "No paper answers this" in page


def test_an_id_or_address_is_searched_for_and_a_topic_filters(maria: Curator, papers: list[Paper]) -> None:
    assert titles(maria.look(q=f"https://arxiv.org/pdf/{papers[1].arxiv_id}v3")) == ["Beta"]
    assert titles(maria.look(topic=papers[0].topics.get().pk)) == ["Alpha"]


def test_htmx_gets_the_papers_alone_and_an_address_to_keep(maria: Curator) -> None:
    answer = maria.client.get(
        maria.url("digest_edition_change"),
        {"q": "beta", "topic": "", "only": ""},
        headers={"HX-Request": "true"},
    )
    assert "<html" not in answer.content.decode()
    assert titles(answer.content.decode()) == ["Beta"]
    assert answer["HX-Replace-Url"] == maria.url("digest_edition_change") + "?q=beta"


def test_more_papers_come_page_by_page() -> None:
    edition = a_frozen_edition(DAY, *(a_paper() for _ in range(120)), state=Edition.State.FROZEN)
    maria = Curator.of("maria", edition)
    page = maria.look()
    assert len(titles(page)) == 50
    assert "70 left" in page
    url = maria.url("digest_edition_change")
    more = maria.client.get(
        url, {"pages": 2}, headers={"HX-Request": "true", "HX-Target": "pb-more"}
    ).content.decode()
    assert len(titles(f"<ol>{more}</ol>")) == 50
    assert "20 left" in more
    assert len(titles(maria.look(pages=3))) == 120


def test_how_many_would_get_it_is_said_once_it_is_reckoned(
    maria: Curator, edition: Edition, papers: list[Paper]
) -> None:
    assert maria.look().count("reach not reckoned yet") == 3
    EditionReach.objects.create(
        edition=edition, readers=100_000, sample=5_000, papers={str(papers[1].pk): 61}, at=NOON
    )
    page = maria.look()
    assert "would reach about 1,200 readers" in page
    assert page.count("would reach nobody so far") == 2
    assert "before the latest changes" not in page
    maria.press("pin", papers[0])
    assert "reach as before the latest changes" in maria.look()


def test_each_deed_is_a_decision_and_a_line_in_the_audit_log(maria: Curator, papers: list[Paper]) -> None:
    for deed in ("pin", "hide", "show"):
        answer = maria.press(deed, papers[0])
        assert answer.status_code == 302
        maria.look()
    maria.press("note", papers[0], note="Worth a read")
    kinds = list(Decision.objects.order_by("pk").values_list("kind", "by_name"))
    assert kinds == [("pinned", "maria"), ("hidden", "maria"), ("shown", "maria"), ("noted", "maria")]
    logged = AuditEvent.objects.filter(kind=AuditEvent.Kind.DEED).order_by("pk")
    assert [event.detail.split()[0] for event in logged] == ["pinned", "hidden", "shown", "noted"]
    assert {event.about for event in logged} == {"edition of 2026-03-04"}


def test_a_long_title_is_cut_with_a_sign_that_it_goes_on() -> None:
    assert a_paper("Short").quoted == "“Short”"
    assert a_paper("word " * 40).quoted.endswith("word…”")
    assert len(a_paper("x" * 300).quoted) == 82


def test_a_deed_that_changes_nothing_writes_nothing(maria: Curator, papers: list[Paper]) -> None:
    maria.press("show", papers[0])
    assert not Decision.objects.exists()
    assert not AuditEvent.objects.filter(kind=AuditEvent.Kind.DEED).exists()


@pytest.mark.parametrize(
    "note", ["<script>alert(1)</script>", "{{ 7*7 }} {% now 'Y' %}", "</textarea>\" onx='"]
)
def test_a_hostile_note_is_kept_as_text_and_shown_as_text(
    maria: Curator, papers: list[Paper], note: str
) -> None:
    maria.press("note", papers[0], note=note)
    page = maria.look()
    assert maria.edition.candidates.get(paper=papers[0]).note == note
    assert "<script>alert" not in page
    assert '" onx' not in page
    assert "49" not in said_note(page)


def said_note(page: str) -> str:
    return page.split('<p class="pb-noted">')[1].split("</p>", maxsplit=1)[0]


def test_a_note_of_100_kb_gets_a_sentence_and_is_not_lost(maria: Curator, papers: list[Paper]) -> None:
    note = "much " * 20_000
    answer = maria.press("note", papers[0], note=note)
    assert answer.status_code == 422
    assert "99,999 characters; 280 is the most" in said(answer)
    assert field_of(answer, f"//input[@id='typed-{papers[0].pk}']") == note
    assert maria.edition.candidates.get(paper=papers[0]).note == ""


def test_a_typed_note_of_a_paper_that_is_not_in_view_is_given_back_too(
    maria: Curator, papers: list[Paper]
) -> None:
    answer = maria.press("note", papers[0], note="x" * 281, q="beta")
    assert field_of(answer, "//textarea[@readonly]") == "x" * 281


@pytest.mark.parametrize("deed", ["", "burn 1", "pin", "pin x", "pin 99999999999999999999", "pin -1"])
def test_a_button_that_nobody_made_gets_a_sentence(maria: Curator, deed: str) -> None:
    answer = maria.post("edition_decide", deed=deed)
    assert answer.status_code == 422
    assert "Load the page again" in said(answer)
    assert not Decision.objects.exists()


def test_a_paper_of_another_edition_is_refused(maria: Curator) -> None:
    assert "not in this edition" in said(maria.press("pin", a_paper("elsewhere")))


def test_a_page_without_its_revision_changes_nothing_that_was_decided(
    maria: Curator, papers: list[Paper]
) -> None:
    maria.press("hide", papers[0])
    answer = maria.press("pin", papers[0], revision="")
    assert answer.status_code == 409
    assert maria.edition.candidates.get(paper=papers[0]).hidden


def test_reading_changes_nothing_and_get_is_refused(maria: Curator) -> None:
    for name in ("edition_decide", "edition_undo", "edition_add", "edition_words"):
        assert maria.client.get(maria.url(name)).status_code == 405


@pytest.mark.parametrize("name", ["edition_decide", "edition_undo", "edition_add", "edition_words"])
def test_operators_may_look_and_not_touch(edition: Edition, papers: list[Paper], name: str) -> None:
    olga = Curator.of("olga", edition, "operator")
    page = olga.look()
    assert "Changing it is for curators" in page
    assert "data-deed" not in page
    assert olga.post(name, deed=f"pin {papers[0].pk}", word="x", paper="2503.02130").status_code == 403
    assert not Decision.objects.exists()


def test_strangers_are_sent_to_the_login(edition: Edition) -> None:
    answer = Client().get(f"/admin/digest/edition/{edition.pk}/change/")
    assert answer.status_code == 302
    assert Curator.of("maria", edition).client.get("/admin/digest/edition/999999/change/").status_code == 404


@pytest.mark.parametrize(
    ("state", "shapes", "hides", "sentence"),
    [
        (Edition.State.FROZEN, True, True, ""),
        (Edition.State.PAUSED, True, True, ""),
        (Edition.State.APPROVED, False, False, "Pause it to change it"),
        (Edition.State.SENDING, False, False, "Pause it to change what has not left"),
        (Edition.State.SENT, False, True, "can still be hidden"),
        (Edition.State.CANCELLED, False, True, "was cancelled"),
        (Edition.State.EXPIRED, False, True, "never approved in time"),
    ],
)
def test_the_state_says_what_can_be_shaped(
    maria: Curator, papers: list[Paper], state: str, shapes: bool, hides: bool, sentence: str
) -> None:
    Edition.objects.update(state=state)
    page = maria.look()
    assert ('data-deed="p"' in page) is shapes
    assert ('data-deed="h"' in page) is hides
    assert sentence in page
    assert maria.press("pin", papers[0]).status_code == (302 if shapes else 422)
    maria.look()
    assert maria.press("hide", papers[1]).status_code == (302 if hides else 422)


def test_a_frozen_edition_says_what_it_waits_for_and_each_page_has_a_title_of_its_own(maria: Curator) -> None:
    page = maria.look()
    assert "Its papers are fixed; it waits to be shaped and approved." in page
    assert "<title>Desk: Edition of" in " ".join(page.split()).replace("<title> ", "<title>")
    assert "Send: Edition of" in maria.client.get(maria.url("edition_sending")).content.decode()


def test_an_open_edition_shows_what_has_arrived_and_when_it_freezes() -> None:
    edition = Edition.objects.create(day=DAY, opened_at=NOON)
    maria = Curator.of("maria", edition)
    page = maria.look()
    assert "Nothing has arrived yet" in page
    assert "freezes at" in page
    appeared(a_paper("Early bird"), DAY)
    page = maria.look()
    assert "1 paper so far" in page
    assert titles(page) == ["Early bird"]
    assert 'data-deed="p"' not in page
    assert not edition.candidates.exists()


def test_an_empty_edition_says_so_and_how_to_fill_it() -> None:
    edition = Edition.objects.create(day=DAY, opened_at=NOON, state=Edition.State.EMPTY, frozen_at=NOON)
    page = Curator.of("maria", edition).look()
    assert "No paper came for this edition" in page
    assert 'name="paper"' in page


def test_a_desk_of_many_papers_costs_as_many_queries_as_a_desk_of_few() -> None:
    topic = a_topic("vision")
    few = a_frozen_edition(DAY, a_paper("", topic), a_paper("", topic), state=Edition.State.FROZEN)
    many = a_frozen_edition(
        DAY - timedelta(days=1), *(a_paper("", topic) for _ in range(150)), state=Edition.State.FROZEN
    )
    maria = Curator.of("maria", few)
    for paper in few.candidates.all():
        curation.annotate(few, paper.paper, "one")
    for paper in many.candidates.all()[:60]:
        curation.annotate(many, paper.paper, "many")
    counts = {}
    for edition in (few, many):
        maria.edition = edition
        with CaptureQueriesContext(connection) as queries:
            maria.look(q="paper", topic=topic.pk)
        counts[edition.pk] = len(queries)
    assert counts[few.pk] == counts[many.pk] <= 22
