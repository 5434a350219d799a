from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from digest.models import Candidate, Edition, Paper
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic, appeared
from tests.digest.looking import HOSTILE, curators, harmless, seen

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)


@pytest.fixture(autouse=True)
def _on_the_day() -> Iterator[None]:
    with time_machine.travel(NOON):
        yield


def address(paper: Paper) -> str:
    return reverse("paper", args=[paper.identity])


def test_a_paper_is_told_whole(client: Client) -> None:
    paper = a_paper(
        "On seeing",
        a_topic("vision", name="Vision"),
        a_topic("agents", name="Agents"),
        abstract="We look. " * 300 + "The end.",
        authors=[f"Ada Author{letter}" for letter in "abcdefghijkl"],
        published_at=datetime(2026, 2, 21, tzinfo=UTC),
        upvotes=45,
        comments=3,
        code_url="https://example.org/code",
        project_url="https://example.org/project",
        thumbnail="thumbnails/abc.jpg",
        thumbnail_width=320,
        thumbnail_height=180,
    )
    appeared(paper, DAY - timedelta(days=1))
    appeared(paper, DAY - timedelta(days=2), "arxiv")
    a_frozen_edition(DAY - timedelta(days=1), paper)
    a_frozen_edition(DAY, paper)
    page = seen(client, address(paper))
    assert ">On seeing</h1>" in page
    assert all(f"<bdi>{name}</bdi>" in page for name in paper.authors)
    assert "The end.</p>" in page
    assert "published 21\xa0February" in page or "published 21 February" in page
    for said in "45\xa0votes", "3\xa0comments", "Hugging Face, 3 March", "arXiv, 2 March":
        assert said in page
    for link in (
        "https://example.org/code",
        "https://example.org/project",
        f"https://arxiv.org/pdf/{paper.arxiv_id}",
    ):
        assert f'href="{link}"' in page
    assert 'width="320" height="180"' in page
    assert page.index("/editions/2026-03-04/") < page.index("/editions/2026-03-03/")
    assert 'href="/topics/vision/">Vision</a>' in page
    assert 'href="/subscribe/?topic=agents&amp;topic=vision"' in page


@pytest.mark.parametrize("identity", ["2603.00001", "hep-th/9901001", "samples:12", "samples:a/b c?d#e%2F&ü"])
def test_every_identity_has_an_address_of_its_own(client: Client, identity: str) -> None:
    papers = [a_paper("It is me", identity=identity, arxiv_id=None), a_paper("Another")]
    a_frozen_edition(DAY, *papers)
    page = seen(client, address(papers[0]))
    assert ">It is me</h1>" in page
    assert client.get(address(papers[0]).removesuffix("/")).status_code == 301
    assert f'href="{address(papers[0])}"' in seen(client, "/").replace("&amp;", "&")


def test_a_paper_is_public_by_an_edition_that_shows_it_and_no_other_is_named(client: Client) -> None:
    paper = a_paper("Seen once")
    shown, hidden, desk = (a_frozen_edition(DAY - timedelta(days=days), paper) for days in (2, 1, 0))
    Candidate.objects.filter(edition=hidden).update(hidden=True, note="Not this one.")
    Edition.objects.filter(pk=desk.pk).update(state=Edition.State.FROZEN)
    page = seen(client, address(paper))
    assert f"/editions/{shown.day}/" in page
    assert f"/editions/{hidden.day}/" not in page
    assert f"/editions/{desk.day}/" not in page
    assert "Not this one." not in page


def test_hidden_withdrawn_and_unpublished_papers_have_no_page(client: Client) -> None:
    hidden, withdrawn, unpublished, nowhere = (a_paper(name) for name in ("Aa", "Bb", "Cc", "Dd"))
    edition = a_frozen_edition(DAY, hidden, withdrawn)
    Candidate.objects.filter(edition=edition, paper=hidden).update(hidden=True)
    Paper.objects.filter(pk=withdrawn.pk).update(withdrawn_at=NOON)
    a_frozen_edition(DAY + timedelta(days=1), unpublished, state=Edition.State.FROZEN)
    for paper in hidden, withdrawn, unpublished, nowhere:
        page = seen(client, address(paper), 404)
        assert "There is no such page" in page
        assert paper.title not in page.replace("Daily Papers", "")
    for unknown in "/papers/9999.99999/", "/papers/a/b/c/", "/papers/%00/", "/papers/" + "x" * 3_000 + "/":
        assert client.get(unknown).status_code == 404


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(client: Client, text: str) -> None:
    paper = a_paper(
        text,
        a_topic("t", name=curators(text, 60)),
        abstract=text,
        summary=text,
        authors=[text] * 3,
        code_url="javascript:alert(1)",
        project_url="data:text/html,x",
    )
    appeared(paper, DAY, "odd")
    a_frozen_edition(DAY, paper)
    Candidate.objects.update(note=text[:280])
    page = seen(client, address(paper))
    assert harmless(page)
    assert "javascript:" not in page
    assert "data:text" not in page


def test_a_paper_with_nothing_but_an_identity_still_has_a_page(client: Client) -> None:
    paper = a_paper(" ", abstract="", authors=[], arxiv_id=None, published_at=None)
    a_frozen_edition(DAY, paper)
    assert ">Untitled</h1>" in seen(client, address(paper))


def test_the_number_of_queries_does_not_grow_with_the_editions(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    paper = a_paper("", *[a_topic(f"topic-{place}") for place in range(6)])
    for days in range(9):
        a_frozen_edition(DAY - timedelta(days=days), paper)
    with django_assert_max_num_queries(3):
        seen(client, address(paper))


def test_the_page_sets_no_cookie_and_may_be_kept_for_a_minute(client: Client) -> None:
    paper = a_paper()
    a_frozen_edition(DAY, paper)
    answer = client.get(address(paper))
    assert not answer.cookies
    assert "max-age=60" in answer["Cache-Control"]
    assert client.post(address(paper)).status_code == 405
