"""Hugging Face Daily Papers: pages followed, entries read, oddities survived."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from digest.sources.base import PaperRecord, SourceError
from digest.sources.fetching import Fetcher
from digest.sources.huggingface import HuggingFace, parse
from tests.cast import NOON
from tests.digest.loopback import Asked, Loopback, Reply
from tests.digest.wire import daily_papers, featured

DAY = date(2026, 3, 4)


def one(entry: dict[str, Any]) -> PaperRecord:
    page = parse(daily_papers(entry), DAY)
    assert page.skipped == ()
    return page.records[0]


def test_an_entry_becomes_a_record_in_our_words() -> None:
    record = one(
        featured(
            "2603.00001",
            githubRepo="https://github.com/example/paper",
            githubStars=12,
            projectPage="https://paper.example.org",
            ai_summary="A question\nis answered.",
            entry={"thumbnail": "https://cdn.example.org/a.png", "numComments": 4},
        )
    )
    assert (record.identity, record.source, record.version, record.day) == (
        "2603.00001",
        "huggingface",
        0,
        DAY,
    )
    assert (record.upvotes, record.comments, record.stars) == (7, 4, 12)
    assert record.code_url == "https://github.com/example/paper"
    assert record.project_url == "https://paper.example.org"
    assert record.thumbnail_url == "https://cdn.example.org/a.png"
    assert record.summary == "A question is answered."
    assert record.abstract == "We invent a question and answer it."
    assert record.authors == ("Ada Example", "Ben Sample")
    assert record.published_at == datetime(2026, 3, 2, 17, tzinfo=UTC)  # the paper's own, not the entry's
    assert not record.withdrawn


def test_an_entry_of_the_oldest_shape_says_nothing_about_what_it_lacks() -> None:
    entry = featured()
    del entry["numComments"], entry["paper"]["upvotes"], entry["paper"]["discussionId"]
    record = one(entry)
    assert (record.upvotes, record.comments, record.stars) == (None, None, None)
    assert (record.code_url, record.thumbnail_url, record.summary) == ("", "", "")


def test_the_featured_day_is_the_one_the_paper_was_submitted_to_the_list() -> None:
    assert one(featured(submittedOnDailyAt="2026-03-03T23:59:00.000Z")).day == date(2026, 3, 3)
    assert one(featured(submittedOnDailyAt="9999-01-01T00:00:00Z")).day == DAY
    assert one(featured(submittedOnDailyAt=17)).day == DAY


@pytest.mark.parametrize(
    ("given", "identity", "arxiv_id", "version"),
    [
        ("2503.0213", "2503.0213", "2503.0213", 0),
        ("2503.02130", "2503.02130", "2503.02130", 0),
        ("2503.02130v3", "2503.02130", "2503.02130", 3),
        ("hep-th/9901001", "hep-th/9901001", "hep-th/9901001", 0),
        ("blog-post-7", "huggingface:blog-post-7", None, 0),
    ],
)
def test_identity_is_the_arxiv_id_without_version_else_the_sources_own(
    given: str, identity: str, arxiv_id: str | None, version: int
) -> None:
    record = one(featured(given))
    assert (record.identity, record.arxiv_id, record.version) == (identity, arxiv_id, version)


def test_withdrawn_papers_and_hidden_authors_are_noticed() -> None:
    authors = [{"name": "Ada Example", "hidden": True}, {"name": "Wu"}, {"name": "Wu"}]
    record = one(featured(withdrawnAt="2026-03-03T00:00:00Z", authors=authors))
    assert record.withdrawn
    assert record.authors == ("Wu", "Wu")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (featured(title=None), "title is missing"),
        (featured(title=["a"]), "title is not text"),
        (featured(summary=""), "abstract is empty"),
        (featured(authors={}), "authors are not a list"),
        (featured(authors=[{"name": 42}]), "author is not text"),
        (featured(authors=["Ada"]), "author is not an object"),
        (featured(publishedAt="42"), "publishedAt is not a time"),
        (featured("a b"), "id is not a name"),
        ({**featured(), "paper": None}, "paper is missing"),
        ("text", "paper is missing"),
        (None, "paper is missing"),
    ],
)
def test_a_broken_entry_is_skipped_with_a_reason_and_the_others_stay(broken: object, reason: str) -> None:
    page = parse(daily_papers(featured("2603.00001"), broken, featured("2603.00002")), DAY)
    assert [record.source_id for record in page.records] == ["2603.00001", "2603.00002"]
    assert [entry.reason for entry in page.skipped] == [reason]


def test_an_entry_with_bytes_that_are_not_utf_8_is_skipped_alone() -> None:
    body = daily_papers(featured("2603.00001", title="MARK"), featured("2603.00002"))
    page = parse(body.replace(b"MARK", b"\xff\xfe\xc3("), DAY)
    assert [record.source_id for record in page.records] == ["2603.00002"]
    assert [(entry.source_id, entry.reason) for entry in page.skipped] == [
        ("2603.00001", "title is not UTF-8")
    ]


def test_a_lone_surrogate_escaped_in_json_is_taken_out() -> None:
    assert one(featured(title="half \ud83d an emoji")).title == "half an emoji"


@pytest.mark.parametrize("number", [-1, True, "7", 2**40, 1.5, None])
def test_a_count_that_is_no_count_says_nothing(number: object) -> None:
    assert one(featured(upvotes=number)).upvotes is None


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[{]", "broken JSON"),
        (b"", "broken JSON"),
        (b"[" * 100_000, "broken JSON"),
        (b'{"error": "x"}', "JSON that is no list"),
        (b"<!DOCTYPE html><html>Sign in</html>", "a web page or XML"),
        (b"[" + b"9" * 5000 + b"]", "broken JSON"),
    ],
)
def test_a_body_that_is_no_list_of_papers_fails_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        parse(body, DAY)


def test_an_empty_day_is_an_answer() -> None:
    assert parse(b"[]", DAY).records == ()


def pages_of(far_end: Loopback) -> list[int]:
    source = HuggingFace(Fetcher(far_end.url, sleep=lambda _seconds: None))
    return [len(page.records) for page in source.pages("", DAY, at=NOON)]


def test_pages_are_followed_by_their_link_as_it_stands(far_end: Loopback) -> None:
    def answer(asked: Asked) -> Reply:
        number = int(asked.query["p"])
        link = {"Link": f'</api/daily_papers?date=2026-03-04&p={number + 1}&limit=100>; rel="next"'}
        return Reply(daily_papers(featured(f"2603.0000{number}")), headers=link if number < 2 else {})

    far_end.answer = answer
    assert pages_of(far_end) == [1, 1, 1]
    assert far_end.asked[0].path == "/api/daily_papers"
    assert far_end.asked[0].query == {"date": "2026-03-04", "p": "0", "limit": "100"}


def test_a_next_page_on_another_host_is_not_asked_for(far_end: Loopback) -> None:
    far_end.in_turn(Reply(b"[]", headers={"Link": '<https://elsewhere.example/p>; rel="next"'}))
    with pytest.raises(SourceError, match="leads to another address"):
        pages_of(far_end)


def test_pages_without_end_are_cut_off(far_end: Loopback) -> None:
    far_end.in_turn(Reply(b"[]", headers={"Link": '</api/daily_papers?p=1>; rel="next"'}))
    with pytest.raises(SourceError, match="more than 50 pages"):
        pages_of(far_end)
    assert len(far_end.asked) == 50


def test_a_refusal_is_passed_on_in_its_words(far_end: Loopback) -> None:
    far_end.in_turn(Reply(b'{"error": "date must be less than today"}', status=400))
    with pytest.raises(SourceError, match=r"answered 400: .*date must be less"):
        pages_of(far_end)
