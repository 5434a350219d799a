"""Tests of the feeds: read back as a strict program reads them."""

import json
import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from lxml import etree
from pytest_django import DjangoAssertNumQueries, Settings

from digest import curation
from digest.models import Candidate, Edition, Paper
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
DAY = timedelta(days=1)
SITE = "https://papers.example.org"
ATOM = "{http://www.w3.org/2005/Atom}"
OURS = ["/feeds/editions.rss", "/feeds/editions.atom", "/feeds/editions.json"]
TOPICS = ["/topics/vision/feed.rss", "/topics/vision/feed.atom", "/topics/vision/feed.json"]
#: What sources have sent or might: controls, the end of a CDATA section, right-to-left signs, markup, TeX.
HOSTILE = "Bell\x07 ]]> \u202eevil\u202c \ufffe<script>&amp;</script> \x0b\x1f $\\alpha$ عنوان 𝔸"
PLAIN = "Bell ]]> evil <script>&amp;</script> α عنوان 𝔸"


def xml(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200
    return etree.fromstring(answer.content, etree.XMLParser(recover=False, resolve_entities=False))


def rss_items(client: Client, path: str = OURS[0]) -> list[Any]:
    return list(xml(client, path).iterfind("channel/item"))


def atom_entries(client: Client, path: str = OURS[1]) -> list[Any]:
    return list(xml(client, path).iterfind(f"{ATOM}entry"))


def json_of(client: Client, path: str = OURS[2]) -> dict[str, Any]:
    answer = client.get(path)
    assert answer["Content-Type"] == "application/feed+json; charset=utf-8"
    found: dict[str, Any] = json.loads(answer.content.decode("utf-8", errors="strict"))
    return found


def test_an_edition_lists_its_first_papers_in_the_pages_order(client: Client) -> None:
    papers = [a_paper(f"Number {votes:02}", upvotes=votes) for votes in range(12)]
    edition = a_frozen_edition(TODAY, *papers)
    Candidate.objects.filter(edition=edition, paper=papers[3]).update(pin=1)
    Candidate.objects.filter(edition=edition, paper=papers[11]).update(hidden=True)
    (item,) = rss_items(client)
    html = item.findtext("description")
    assert re.findall(r"<bdi>(Number \d\d)</bdi>", html) == [
        f"Number {votes:02}" for votes in [3, 10, 9, 8, 7, 6, 5, 4, 2, 1]
    ]
    assert "A. Example, B. Sample" in html
    assert f'<a href="{SITE}/papers/{papers[3].identity}/">' in html
    assert item.findtext("title") == "Wednesday 4 March 2026"
    assert item.findtext("link") == f"{SITE}/editions/2026-03-04/"


def test_the_three_forms_tell_the_same_with_the_same_names(client: Client) -> None:
    for age in range(3):
        a_frozen_edition(TODAY - age * DAY, a_paper(), approved_at=NOON - age * DAY)
    by_rss = [(item.findtext("guid"), item.findtext("description")) for item in rss_items(client)]
    by_atom = [
        (entry.findtext(f"{ATOM}id"), entry.findtext(f"{ATOM}summary")) for entry in atom_entries(client)
    ]
    by_json = [(item["id"], item["content_html"]) for item in json_of(client)["items"]]
    assert by_rss == by_atom == by_json
    assert [name for name, _ in by_rss] == [
        f"tag:papers.example.org,2026-03-0{day}:edition" for day in (4, 3, 2)
    ]


def test_rss_has_what_its_readers_need(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper(), approved_at=NOON)
    channel = xml(client, OURS[0]).find("channel")
    assert (channel.findtext("title"), channel.findtext("link")) == ("Daily Papers", f"{SITE}/")
    assert channel.findtext("description")
    assert channel.find(f"{ATOM}link").get("href") == f"{SITE}{OURS[0]}"
    assert parsedate_to_datetime(channel.findtext("lastBuildDate")) == NOON
    assert channel.find("item/guid").get("isPermaLink") == "false"
    assert parsedate_to_datetime(channel.findtext("item/pubDate")) == NOON


def test_atom_has_what_rfc_4287_requires(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper(), approved_at=NOON)
    feed = xml(client, OURS[1])
    assert feed.findtext(f"{ATOM}id") == "tag:papers.example.org,2026:editions"
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "the curators"
    links = {(link.get("rel"), link.get("href")) for link in feed.iterfind(f"{ATOM}link")}
    assert links == {("alternate", f"{SITE}/"), ("self", f"{SITE}{OURS[1]}")}
    for thing in feed, feed.find(f"{ATOM}entry"):
        assert thing.findtext(f"{ATOM}title")
        assert datetime.fromisoformat(thing.findtext(f"{ATOM}updated")) == NOON


def test_json_feed_has_what_version_1_1_requires(client: Client) -> None:
    a_topic("vision").papers.add(paper := a_paper("Pictures"))
    a_frozen_edition(TODAY, paper, approved_at=NOON)
    for path in OURS[2], TOPICS[2]:
        feed = json_of(client, path)
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["feed_url"] == SITE + path
        assert all(isinstance(feed[name], str) and feed[name] for name in ("title", "home_page_url"))
        (item,) = feed["items"]
        assert isinstance(item["id"], str)
        assert item["content_html"]
        assert item["url"].startswith(SITE)
        assert item["date_published"] == item["date_modified"] == "2026-03-04T12:00:00Z"
    assert item["authors"] == [{"name": "Ada Example"}, {"name": "Ben Sample"}]


@pytest.mark.parametrize("path", [*OURS, *TOPICS])
def test_hostile_texts_are_text_and_no_character_that_xml_forbids_gets_in(client: Client, path: str) -> None:
    paper = a_paper(HOSTILE, abstract=HOSTILE, authors=[HOSTILE, "Ada\x01 <b>"], identity="x:a/é?#\x07")
    paper.topics.add(a_topic("vision", description=f"About {HOSTILE}"))
    a_frozen_edition(TODAY, paper)
    answer = client.get(path)
    text = answer.content.decode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\u202e]", text)
    if path.endswith("json"):
        entries = [(item["title"], item["content_html"]) for item in json.loads(text)["items"]]
    elif path.endswith("rss"):
        entries = [(e.findtext("title"), e.findtext("description")) for e in rss_items(client, path)]
    else:
        entries = [
            (e.findtext(f"{ATOM}title"), e.findtext(f"{ATOM}summary")) for e in atom_entries(client, path)
        ]
    ((title, html),) = entries
    assert "<script" not in html
    assert "&lt;script&gt;&amp;amp;&lt;/script&gt; α عنوان 𝔸" in html
    if path in TOPICS:
        assert title == PLAIN


def test_a_topic_gives_its_newest_papers_once_dated_by_their_first_edition(client: Client) -> None:
    vision = a_topic("vision")
    again, newer, other = a_paper("Again", vision), a_paper("Newer", vision), a_paper("Other")
    a_frozen_edition(TODAY - 2 * DAY, again, other, approved_at=NOON - 2 * DAY)
    a_frozen_edition(TODAY - DAY, newer, approved_at=NOON - DAY)
    a_frozen_edition(TODAY, again, approved_at=NOON)
    found = [(item.findtext("title"), item.findtext("pubDate")) for item in rss_items(client, TOPICS[0])]
    assert [title for title, _ in found] == ["Newer", "Again"]
    assert [parsedate_to_datetime(at) for _, at in found] == [NOON - DAY, NOON - 2 * DAY]


def test_only_what_is_published_and_shown_is_in_a_feed(client: Client) -> None:
    vision = a_topic("vision")
    hidden, withdrawn = a_paper("Hidden", vision), a_paper("Withdrawn", vision, withdrawn_at=NOON)
    edition = a_frozen_edition(TODAY, a_paper("Shown", vision), hidden, withdrawn)
    Candidate.objects.filter(edition=edition, paper=hidden).update(hidden=True)
    a_frozen_edition(TODAY + DAY, a_paper("On the desk", vision), state=Edition.State.FROZEN)
    a_frozen_edition(TODAY - DAY, state=Edition.State.EMPTY)
    for path in *OURS, *TOPICS:
        text = client.get(path).content.decode()
        assert "Shown" in text
        assert not any(word in text for word in ("Hidden", "Withdrawn", "On the desk", "3 March"))


def test_the_thirty_newest_entries_are_given(client: Client) -> None:
    vision = a_topic("vision")
    for age in range(33):
        a_frozen_edition(TODAY - age * DAY, a_paper("", vision), approved_at=NOON - age * DAY)
    for path in OURS[2], TOPICS[2]:
        dates = [item["date_published"][:10] for item in json_of(client, path)["items"]]
        assert dates == [f"{TODAY - age * DAY}" for age in range(30)]


@pytest.mark.parametrize(("papers", "given"), [(20, 30), (45, 45), (110, 100)])
def test_a_topic_gives_the_most_voted_first_and_all_of_the_newest_edition(
    client: Client, papers: int, given: int
) -> None:
    vision = a_topic("vision")
    a_frozen_edition(
        TODAY - DAY, *[a_paper(f"Old {n}", vision, upvotes=500) for n in range(40)], approved_at=NOON - DAY
    )
    newest = [a_paper(f"New {votes}", vision, upvotes=votes) for votes in range(papers)]
    a_frozen_edition(TODAY, *newest, approved_at=NOON)
    titles = [item["title"] for item in json_of(client, TOPICS[2])["items"]]
    assert len(titles) == given
    assert titles[:papers] == [f"New {votes}" for votes in reversed(range(papers))][:given]


@pytest.mark.parametrize("path", [*OURS, *TOPICS])
def test_who_has_the_feed_gets_304_until_something_changes(client: Client, path: str) -> None:
    vision = a_topic("vision")
    one, two = a_paper("One", vision), a_paper("Two", vision)
    edition = a_frozen_edition(TODAY, one, two, state=Edition.State.SENT)
    with time_machine.travel(NOON, tick=False):
        first = client.get(path)
    with time_machine.travel(NOON + DAY, tick=False):
        again = client.get(path, headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
        assert client.get(path).content == first.content
    curation.hide(edition, two)
    changed = client.get(path, headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    assert b"Two" not in changed.content


def test_a_paper_withdrawn_leaves_the_feed_at_once(client: Client) -> None:
    one, two = a_paper("One"), a_paper("Two")
    a_frozen_edition(TODAY, one, two)
    assert b"One" in client.get(OURS[0]).content
    Paper.objects.filter(pk=one.pk).update(withdrawn_at=NOON)
    assert b"One" not in client.get(OURS[0]).content


@pytest.mark.parametrize("path", [*OURS, *TOPICS])
def test_a_feed_without_entries_is_whole_and_never_changes(client: Client, path: str) -> None:
    a_topic("vision")
    answers = set()
    for moment in NOON, NOON + DAY:
        with time_machine.travel(moment, tick=False):
            answers.add(client.get(path).content)
    (body,) = answers
    assert b"1970" in body or path.endswith("json")


def test_feeds_may_be_kept_a_while_come_compressed_and_set_no_cookie(client: Client) -> None:
    for age in range(5):
        a_frozen_edition(TODAY - age * DAY, *[a_paper() for _ in range(10)])
    answer = client.get(OURS[1], headers={"accept-encoding": "gzip"})
    assert "public" in answer["Cache-Control"]
    assert "max-age" in answer["Cache-Control"]
    assert answer["Content-Encoding"] == "gzip"
    assert not answer.cookies
    again = client.get(OURS[1], headers={"if-none-match": answer["ETag"], "accept-encoding": "gzip"})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/topics/nothing/feed.rss", "/topics/retired/feed.json", "/feeds/x.rss"])
def test_a_feed_of_nothing_gets_the_houses_page(client: Client, path: str) -> None:
    a_topic("retired", active=False)
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def test_links_and_names_follow_the_sites_address(client: Client, settings: Settings) -> None:
    settings.SITE_URL = "https://news.example.org:8443"
    a_frozen_edition(TODAY, a_paper())
    item = json_of(client)["items"][0]
    assert item["url"] == "https://news.example.org:8443/editions/2026-03-04/"
    assert item["id"] == "tag:news.example.org,2026-03-04:edition"


def test_a_feed_costs_few_queries_once_its_editions_are_known(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    vision = a_topic("vision")
    for age in range(40):
        a_frozen_edition(TODAY - age * DAY, *[a_paper("", vision) for _ in range(3)])
    client.get(OURS[0])
    with django_assert_num_queries(2):
        client.get(OURS[1])
    with django_assert_num_queries(4):
        client.get(TOPICS[0])


def test_an_edition_without_any_moment_is_dated_all_the_same(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper())
    Edition.objects.update(frozen_at=None)
    assert atom_entries(client)[0].findtext(f"{ATOM}updated") == "1970-01-01T00:00:00+00:00"
