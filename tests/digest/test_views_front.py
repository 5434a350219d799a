import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from digest import curation, kept
from digest.models import Candidate, Edition
from digest.views.listing import PER_PAGE
from subscribers import limits
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic
from tests.digest.looking import HOSTILE, curators, harmless, on_the_wire, seen

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)


@pytest.fixture(autouse=True)
def _on_the_day(settings: Settings) -> Iterator[None]:
    """Look at the page on DAY, with a cache of its own that no other test fills."""
    kept._Weather.away_until = 0.0
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid4().hex}}
    with time_machine.travel(NOON):
        yield


def test_the_front_page_is_the_newest_published_edition_under_one_line_and_one_form(client: Client) -> None:
    a_frozen_edition(DAY - timedelta(days=1), a_paper("Of yesterday"))
    a_frozen_edition(DAY, a_paper("Of today"))
    a_frozen_edition(DAY + timedelta(days=1), a_paper("On the desk"), state=Edition.State.FROZEN)
    page = seen(client, "/")
    assert ">Wednesday 4 March</h2>" in page
    assert "by the curators and the research community" in page
    assert "Of today" in page
    assert "On the desk" not in page
    assert "Of yesterday" not in page
    assert page.count("<h1") == 1
    places = [page.index(mark) for mark in ("<h1", 'id="signup"', 'id="preview"', 'id="papers"', "<article")]
    assert places == sorted(places)
    assert 'href="/editions/2026-03-03/"' in page


def test_each_paper_says_what_a_daily_page_says(client: Client) -> None:
    paper = a_paper(
        "A title",
        a_topic("vision", name="Seeing"),
        abstract="We see. " * 200,
        authors=[f"Ada N. Author{letter}" for letter in "abcdefghijkl"],
        published_at=datetime(2025, 12, 30, tzinfo=UTC),
        thumbnail="thumbnails/abc.jpg",
        thumbnail_width=320,
        thumbnail_height=180,
    )
    a_frozen_edition(DAY, paper)
    Candidate.objects.update(upvotes=45, comments=1)
    page = seen(client, "/")
    article = page[page.index("<article") : page.index("</article>")]
    for said in ">45 votes<", ">1 comment<", ">12 authors<", ">30 December 2025<":
        assert said in article
    assert f'href="/papers/{paper.identity}/">A title</a>' in article
    assert 'href="/topics/vision/">Seeing</a>' in article
    assert '<img src="/thumbnails/abc.jpg" width="320" height="180"' in article
    abstract = re.search(r'<p class="abstract" dir="auto">(.*?)</p>', article)
    assert abstract
    assert abstract[1].endswith("…")
    assert 300 < len(abstract[1]) <= 360


def test_the_year_is_left_out_in_the_current_one_alone(client: Client) -> None:
    a_frozen_edition(DAY, a_paper(published_at=NOON))
    assert ">4 March<" in seen(client, "/")
    with time_machine.travel(NOON.replace(year=2027)):
        page = seen(client, "/")
    assert ">4 March 2026<" in page
    assert ">Wednesday 4 March 2026</h2>" in page


def test_thirty_papers_stand_on_a_page(client: Client) -> None:
    a_frozen_edition(DAY, *[a_paper() for _ in range(PER_PAGE + 3)])
    assert seen(client, "/").count("<article") == PER_PAGE
    assert 'href="?page=2#papers"' in seen(client, "/")
    assert seen(client, "/?page=2").count("<article") == 3
    for odd in "0", "-1", "x", "9" * 30, "٢":
        assert "<article" in seen(client, f"/?page={odd}")


def test_before_the_first_edition_there_is_the_form_and_a_sentence(client: Client) -> None:
    a_frozen_edition(DAY, state=Edition.State.EMPTY)
    page = seen(client, "/")
    assert "The first edition is still being made" in page
    assert 'id="signup"' in page


def test_a_day_without_papers_leaves_the_one_before_on_the_front_page(client: Client) -> None:
    a_frozen_edition(DAY - timedelta(days=1), a_paper("Of yesterday"))
    a_frozen_edition(DAY, state=Edition.State.EMPTY)
    assert "Of yesterday" in seen(client, "/")
    assert "Today’s papers" not in seen(client, "/")


def test_an_edition_called_off_leaves_the_front_page(client: Client) -> None:
    a_frozen_edition(DAY - timedelta(days=1), a_paper("Of yesterday"))
    edition = a_frozen_edition(DAY, a_paper("Called off"), approved_at=NOON)
    assert "Called off" in seen(client, "/")
    curation.cancel(edition, at=NOON)
    page = seen(client, "/")
    assert "Called off" not in page
    assert "Of yesterday" in page
    assert "Called off" in seen(client, "/editions/2026-03-04/")


def test_a_link_fills_the_form_and_its_preview(client: Client) -> None:
    vision = a_topic("vision")
    liked = a_paper("About cats", vision)
    a_frozen_edition(DAY, liked, a_paper("Talked about", upvotes=90))
    page = seen(client, "/?topic=vision&topic=nonsense&q=gaussian+splatting")
    assert re.search(r'value="vision"[^>]* checked', page)
    assert "gaussian splatting" in page
    preview = page[page.index('id="preview"') : page.index('id="papers"')]
    assert "for these choices" in preview
    assert preview.index("About cats") < preview.index("Talked about")
    assert "chosen nothing" in seen(client, "/")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(client: Client, text: str) -> None:
    topic = a_topic("t", name=curators(text, 60), description=curators(text, 200))
    a_frozen_edition(
        DAY, a_paper(text, topic, abstract=text, authors=[text] * 5, summary=text), note=text[:2000]
    )
    Candidate.objects.update(note=text[:280])
    page = seen(client, f"/?q={text[:100]}")
    assert harmless(page)
    assert len(page) < 60_000


def test_no_cookie_is_set_and_anybody_may_keep_the_page_for_a_minute(client: Client) -> None:
    a_frozen_edition(DAY, a_paper())
    answer = client.get("/")
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")
    assert set(answer["Cache-Control"].split(", ")) == {"public", "max-age=60"}
    assert client.post("/").status_code == 405


def test_thirty_long_papers_with_style_and_scripts_weigh_less_than_60_kb(client: Client) -> None:
    words = [f"{number:x}" for number in range(20_000)]  # hardly to be compressed
    for place in range(25):
        a_topic(f"topic-{place}", name=f"A topic with a long name {place}")
    papers = [
        a_paper(
            " ".join(words[n * 50 :][:50]),
            a_topic(f"topic-{n % 25}"),
            abstract=" ".join(words[n * 600 :][:600]),
        )
        for n in range(PER_PAGE)
    ]
    a_frozen_edition(DAY, *papers)
    assert 20_000 < on_the_wire(client, "/") < 60_000


def test_nothing_comes_from_another_host(client: Client) -> None:
    a_frozen_edition(DAY, a_paper(thumbnail_url="https://cdn.example/x.png"))
    page = seen(client, "/")
    elsewhere = r'(?:src|<link[^>]* href)="(?!/(?!/))[^"]*"'
    assert re.findall(elsewhere, page) == []
    assert re.findall(elsewhere, '<script src="//evil.example/x.js">')


@pytest.mark.usefixtures("broker")
def test_the_number_of_queries_is_small_and_does_not_grow(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for days in range(5):
        papers = [a_paper("", a_topic(f"topic-{place}")) for place in range(20)]
        a_frozen_edition(DAY - timedelta(days=days), *papers)
    seen(client, "/")
    with django_assert_max_num_queries(7):
        seen(client, "/")


@pytest.mark.parametrize("name", ["feed_atom", "feed_rss", "feed_json"])
def test_the_head_names_the_feeds(client: Client, name: str) -> None:
    page = seen(client, "/")
    kind = {"feed_atom": "atom+xml", "feed_rss": "rss+xml", "feed_json": "feed+json"}[name]
    found = re.search(
        rf'<link rel="alternate" type="application/{re.escape(kind)}"[^>]* href="([^"]+)"', page
    )
    assert found
    assert client.get(found[1]).status_code == 200


@pytest.mark.usefixtures("broker")
def test_links_that_ask_without_end_get_the_preview_of_everybody(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_frozen_edition(DAY, a_paper("Kites"), a_paper("Loud", upvotes=90))
    monkeypatch.setattr(limits, "PREVIEWS_PER_NETWORK", 1)
    assert "for these choices" in seen(client, "/?q=kites")
    page = seen(client, "/?q=kites")
    assert "for these choices" not in page
    assert "chosen nothing" in page
    assert "kites</textarea>" in page
    assert "chosen nothing" in seen(client, "/")
