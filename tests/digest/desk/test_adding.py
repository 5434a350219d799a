"""A paper added by hand: by id or address, from here or from arXiv while a person waits."""

import time
from datetime import date

import pytest
from django.utils import timezone

from digest import bringing, corpus, curation, editions
from digest.models import Candidate, Decision, Edition, Paper
from digest.rendering import fragments
from digest.sources import turn as turns
from digest.sources.arxiv_ids import arxiv_id
from subscribers.models import AuditEvent
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic, appeared
from tests.digest.desk.curators import Curator, field_of, said
from tests.digest.loopback import Loopback, Reply
from tests.digest.wire import api_entry, atom

DAY = date(2026, 3, 4)
ID = "2503.02130"
TYPED = "//input[@id='pb-paper']"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("2503.02130", "2503.02130"),
        ("  2503.02130v12 \n", "2503.02130"),
        ("arXiv:2503.02130v1", "2503.02130"),
        ("0704.0001", "0704.0001"),
        ("hep-th/9901001", "hep-th/9901001"),
        ("hep-th/9901001v2", "hep-th/9901001"),
        ("math.GT/0309136", "math/0309136"),
        ("https://arxiv.org/abs/2503.02130", "2503.02130"),
        ("http://www.arxiv.org/abs/2503.02130v2?context=cs#x", "2503.02130"),
        ("arxiv.org/abs/hep-th/9901001v3", "hep-th/9901001"),
        ("https://arxiv.org/pdf/2503.02130v2.pdf", "2503.02130"),
        ("https://arxiv.org/pdf/2503.02130", "2503.02130"),
        ("https://arxiv.org/html/2503.02130v1", "2503.02130"),
        ("https://export.arxiv.org/abs/cs/0112017", "cs/0112017"),
        ("https://huggingface.co/papers/2503.02130", "2503.02130"),
        ("https://hf.co/papers/2503.02130/", "2503.02130"),
        ("https://www.alphaxiv.org/abs/2503.02130v1", "2503.02130"),
        ("https://doi.org/10.48550/arXiv.2503.02130", "2503.02130"),
        ("", None),
        ("attention is all you need", None),
        ("2513.02130", None),  # there is no thirteenth month
        ("2503.021", None),
        ("2503.021300", None),
        ("https://example.org/abs/2503.02130", None),
        ("https://notarxiv.org/abs/2503.02130", None),
        ("https://arxiv.org/list/cs.LG/new", None),
        ("https://huggingface.co/spaces/2503.02130", None),
        ("https://[broken", None),
        ("javascript:alert(1)//2503.02130", None),
        ("２５０３.０２１３０", None),
        ("2503.02130" * 1000, None),
        ("2503.02130\x00", None),
    ],
)
def test_an_id_is_read_out_of_what_people_paste(given: str, name: str | None) -> None:
    assert arxiv_id(given) == name


@pytest.fixture
def edition(db: None) -> Edition:  # noqa: ARG001
    return a_frozen_edition(DAY, a_paper("There already"), state=Edition.State.FROZEN)


@pytest.fixture
def maria(edition: Edition) -> Curator:
    return Curator.of("maria", edition)


def add(curator: Curator, paper: str) -> tuple[int, str, object]:
    answer = curator.post("edition_add", paper=paper)
    return answer.status_code, said(answer) if answer.status_code != 302 else "", answer


def nothing_came_in(edition: Edition) -> bool:
    edition.refresh_from_db()
    one = Paper.objects.count() == edition.candidates.count() == edition.candidate_count == 1
    return one and not Decision.objects.exists() and edition.state == Edition.State.FROZEN


def test_a_paper_comes_from_arxiv_and_is_one_of_the_edition(
    maria: Curator, edition: Edition, far_end: Loopback
) -> None:
    topic = a_topic("knots", include=["knot theory"])
    entry = api_entry(ID, version=2, title="Knot theory for machines", categories=["math.GT", "cs.LG"])
    far_end.answer = lambda _asked: Reply(atom(entry, total=1))
    assert add(maria, f"https://arxiv.org/abs/{ID}v1")[0] == 302
    assert [asked.query for asked in far_end.asked] == [{"id_list": ID, "max_results": "1"}]
    row = Candidate.objects.get(paper__arxiv_id=ID)
    assert (row.edition, row.sources, row.featured_on) == (edition, ["curator"], DAY)
    assert topic in row.paper.topics.all()
    edition.refresh_from_db()
    assert edition.candidate_count == 2
    decision = Decision.objects.get()
    assert (decision.kind, decision.paper, decision.by_name) == ("added", row.paper, "maria")
    assert AuditEvent.objects.filter(kind=AuditEvent.Kind.DEED, detail=f"added {ID}").exists()
    assert "Added by hand" in maria.look()
    # It is in the pool that readers' papers are picked from, and in their mail, and public once approved.
    assert row.paper_id in corpus.load(edition).paper_ids
    assert row.paper_id in fragments.load(edition, {row.paper_id})
    assert not Candidate.objects.public().filter(pk=row.pk).exists()
    curation.approve(edition, at=NOON)
    assert Candidate.objects.public().filter(pk=row.pk).exists()
    assert "Knot theory for machines" in maria.client.get(f"/editions/{DAY}/").content.decode()
    assert maria.client.get(f"/papers/{ID}/").status_code == 200


def test_a_paper_that_is_stored_is_not_asked_for(maria: Curator, far_end: Loopback) -> None:
    paper = a_paper("Known", upvotes=12, comments=3)
    appeared(paper, date(2026, 3, 2))
    assert add(maria, str(paper.arxiv_id))[0] == 302
    assert far_end.asked == []
    row = Candidate.objects.get(paper=paper)
    assert (row.upvotes, row.comments, row.featured_on) == (12, 3, date(2026, 3, 2))


def test_what_was_added_does_not_come_again_tomorrow(
    maria: Curator, edition: Edition, far_end: Loopback
) -> None:
    far_end.answer = lambda _asked: Reply(atom(api_entry(ID), total=1))
    late = a_paper("After the freeze")
    appeared(late, DAY)
    add(maria, ID)
    add(maria, str(late.arxiv_id))
    for decision in Decision.objects.filter(paper__arxiv_id=ID):
        curation.undo(decision)
    tomorrow = editions.open_edition(date(2026, 3, 5), at=NOON)
    assert editions.freeze(tomorrow, at=NOON).state == Edition.State.EMPTY
    assert edition.candidates.filter(paper=late).exists()


def test_nonsense_gets_a_sentence_and_is_not_lost(
    maria: Curator, edition: Edition, far_end: Loopback
) -> None:
    for given in ("attention is all you need", "", "<script>alert(1)</script>"):
        status, sentence, answer = add(maria, given)
        assert status == 422
        assert "no arXiv id" in sentence
        assert field_of(answer, TYPED) == given
    assert far_end.asked == []
    assert nothing_came_in(edition)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply(atom(total=0)), f"arXiv has no paper {ID}"),
        (Reply(atom(api_entry("2503.99999"), total=1)), f"arXiv has no paper {ID}"),
        (
            Reply(atom(api_entry(ID, comment="This paper has been withdrawn by the authors"), total=1)),
            "withdrawn by its authors",
        ),
        (Reply(atom(api_entry(ID, authors=()), total=1)), "cannot be read: authors are missing"),
        (Reply(b"<html>Rate exceeded.</html>"), "arXiv could not tell"),
        (
            Reply(atom("<entry><title>Error</title><summary>incorrect id</summary></entry>"), 400),
            "incorrect id",
        ),
        (Reply(b"Rate exceeded.", 429), "did not answer in time"),
        (Reply(b"", 503, {"Retry-After": "600"}), "did not answer in time"),
        (Reply(atom(api_entry(ID), total=1), deed="hang"), "did not answer in time"),
        (Reply(atom(api_entry(ID), total=1), deed="reset"), "arXiv cannot be reached or did not answer"),
        (Reply(atom(api_entry(ID), total=1), deed="truncate"), "did not answer in time"),
        (Reply(b"", 302, {"Location": "https://example.org/"}), "leads to another address"),
        (Reply(atom(total=1)), "did not answer in time"),  # it has one, and gives none: it does that
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_arxiv_cannot_give_gets_a_sentence_in_time_and_leaves_nothing(
    maria: Curator, edition: Edition, far_end: Loopback, reply: Reply, sentence: str
) -> None:
    far_end.answer = lambda _asked: reply
    began = time.monotonic()
    status, told, answer = add(maria, ID)
    assert time.monotonic() - began < 12
    assert status == 422
    assert sentence in told
    assert field_of(answer, TYPED) == ID
    assert nothing_came_in(edition)


def test_while_others_ask_arxiv_nobody_waits_for_long(
    maria: Curator, edition: Edition, far_end: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bringing, "PATIENCE", 1.0)
    with turns.turn("arxiv"):
        began = time.monotonic()
        _status, told, _answer = add(maria, ID)
    assert "did not answer in time" in told
    assert 1 <= time.monotonic() - began < 4
    assert far_end.asked == []
    assert nothing_came_in(edition)


def test_what_is_withdrawn_here_or_there_already_is_refused(maria: Curator, edition: Edition) -> None:
    there = edition.candidates.get().paper
    assert "is in this edition already" in add(maria, str(there.arxiv_id))[1]
    gone = a_paper("Gone", withdrawn_at=timezone.now())
    assert "was withdrawn" in add(maria, str(gone.arxiv_id))[1]
    assert edition.candidates.count() == 1


@pytest.mark.parametrize("state", [Edition.State.OPEN, Edition.State.APPROVED, Edition.State.SENT])
def test_no_paper_is_added_where_it_would_reach_nobody(
    maria: Curator, far_end: Loopback, edition: Edition, state: str
) -> None:
    Edition.objects.update(state=state)
    assert "cannot be added" in add(maria, ID)[1]
    assert far_end.asked == []
    with pytest.raises(curation.CurationError, match=state):
        curation.add(edition, a_paper())


def test_the_first_paper_makes_an_empty_edition_one_that_waits_for_approval(db: None) -> None:  # noqa: ARG001
    edition = editions.freeze(editions.open_edition(DAY, at=NOON), at=NOON)
    assert edition.state == Edition.State.EMPTY
    maria = Curator.of("maria", edition)
    assert add(maria, str(a_paper("By hand").arxiv_id))[0] == 302
    edition.refresh_from_db()
    assert (edition.state, edition.candidate_count) == (Edition.State.FROZEN, 1)
    assert corpus.load(edition).size == 1
    maria.post("edition_undo", decision="last")
    edition.refresh_from_db()
    assert (edition.state, edition.candidate_count) == (Edition.State.EMPTY, 0)
    assert maria.look()
