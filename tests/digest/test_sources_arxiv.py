"""arXiv: feeds for today, the API for days gone by and for ids."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from digest.sources.arxiv import Arxiv
from digest.sources.arxiv_parsing import complaint, parse_api, parse_feed, split_creators
from digest.sources.base import Page, PaperRecord, SourceError
from digest.sources.fetching import Fetcher
from digest.sources.taxonomy import canonical, canonical_all
from tests.cast import NOON
from tests.digest.loopback import Asked, Loopback, Reply
from tests.digest.wire import api_entry, atom, feed_entry

DAY = date(2026, 3, 4)  # NOON is on it, in New York too
YESTERDAY = date(2026, 3, 3)


def conversation(far_end: Loopback) -> Arxiv:
    """Return a conversation without pauses."""

    def fetcher(base: str) -> Fetcher:
        return Fetcher(base, sleep=lambda _seconds: None)

    return Arxiv(feeds=fetcher(far_end.url), api=fetcher(f"{far_end.url}/api/query"))


def from_feed(entry: str) -> PaperRecord:
    page = parse_feed(atom(entry), DAY)
    assert page.skipped == ()
    return page.records[0]


def test_a_feed_entry_becomes_a_record_with_the_feeds_own_date() -> None:
    record = from_feed(
        feed_entry(
            "2603.00007", version=2, day="2026-03-03",
            categories=["cs.LG", "68T45, I.4.2", "cs.SY", "eess.SY"],
            title="Bounds &  <Tags>\n in titles", abstract="With $\\alpha < \\beta$ & more.",
            creators=r"Fi\v{s}er, Wu (Institute of Examples, Dept. of Cases), Ann Case, Jr.",
        )
    )  # fmt: skip
    assert (record.identity, record.version, record.day, record.appears) == ("2603.00007", 2, YESTERDAY, True)
    assert record.title == "Bounds & <Tags> in titles"
    assert record.abstract == "With $\\alpha < \\beta$ & more."
    assert record.categories == ("cs.LG", "eess.SY")
    assert record.authors == ("Fišer", "Wu", "Ann Case Jr.")
    assert record.published_at is None


@pytest.mark.parametrize(
    ("kind", "appears"), [("new", True), ("cross", True), ("replace", False), ("replace-cross", False)]
)
def test_a_replacement_is_news_but_no_appearance(kind: str, appears: bool) -> None:
    assert from_feed(feed_entry(kind=kind)).appears is appears


def test_an_api_entry_becomes_a_record_with_its_primary_category_first() -> None:
    found = parse_api(
        atom(
            api_entry("hep-th/9901001", version=3, categories=["cs.CV", "math.IT"], comment="12 pages"),
            total=1,
        ),
        appears=True,
    )
    record = found.page.records[0]
    assert (record.identity, record.version) == ("hep-th/9901001", 3)
    assert record.categories == ("cs.CV", "cs.IT")
    assert record.published_at == datetime(2026, 3, 2, 17, tzinfo=UTC)
    assert record.day == YESTERDAY
    assert not record.withdrawn


@pytest.mark.parametrize(
    ("comment", "abstract", "withdrawn"),
    [
        ("This paper has been withdrawn by the authors", "As before.", True),
        ("Withdrawn due to an error in Lemma 2", "As before.", True),
        ("", "This paper has been withdrawn by the author due to a crucial sign error.", True),
        ("We discuss withdrawn products", "As before.", False),
        ("", "We study how drugs are withdrawn. This paper has been withdrawn is a phrase.", False),
    ],
)
def test_a_withdrawn_paper_is_noticed(comment: str, abstract: str, withdrawn: bool) -> None:
    entry = api_entry(comment=comment, abstract=abstract)
    assert parse_api(atom(entry, total=1), appears=True).page.records[0].withdrawn is withdrawn


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (feed_entry(kind="surprise"), "announce type is unknown"),
        (feed_entry("nonsense"), "id is no arXiv id"),
        (feed_entry(creators=""), "authors are missing"),
        (feed_entry(creators="42"), "author is not a name"),
        (feed_entry(day="someday"), "published is not a time"),
        (feed_entry(abstract=""), "abstract is empty"),
        (feed_entry().replace("Invented paper 2603.00001", "<value/>"), "title is empty"),
    ],
)
def test_a_broken_entry_is_skipped_with_a_reason_and_the_others_stay(entry: str, reason: str) -> None:
    page = parse_feed(atom(feed_entry("2603.00002"), entry, feed_entry("2603.00003")), DAY)
    assert [record.source_id for record in page.records] == ["2603.00002", "2603.00003"]
    assert [skipped.reason for skipped in page.skipped] == [reason]


def test_characters_that_xml_has_no_place_for_cost_no_feed() -> None:
    body = atom(feed_entry(title="MARK")).replace(b"MARK", b"a\x0bb&#12;c&#x1D;d")
    assert parse_feed(body, DAY).records[0].title == "a b c d"


def test_bytes_that_are_not_utf_8_cost_their_entry_alone() -> None:
    body = atom(feed_entry("2603.00001", title="MARK"), feed_entry("2603.00002")).replace(
        b"MARK", b"\xff\xc3("
    )
    page = parse_feed(body, DAY)
    assert [record.source_id for record in page.records] == ["2603.00002"]
    assert [entry.reason for entry in page.skipped] == ["title is not UTF-8"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<!DOCTYPE html><html>Sign in</html>", "a web page"),
        (
            b'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd">]><feed>&x;</feed>',
            "document type",
        ),
        (b"<feed>", "broken XML"),
        (b"<rss/>", "no Atom feed"),
        (b"", "broken XML"),
        ("<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a []><a/>".encode("utf-16"), "broken XML"),
        (atom(feed_entry(title="&x;")).replace(b"&amp;x;", b"&x;"), "broken XML"),
    ],
)
def test_a_body_that_is_no_feed_is_refused_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        parse_feed(body, DAY)


def test_names_are_split_outside_parentheses_only() -> None:
    assert split_creators("A One, B Two (X, Y), C Three (Z (deep), W)") == ["A One", "B Two", "C Three"]
    assert split_creators("Max (Xiao) Li, Wu") == ["Max (Xiao) Li", "Wu"]
    assert split_creators("") == []


def test_categories_are_those_of_the_taxonomy() -> None:
    assert canonical("cs.NA") == "math.NA"
    assert canonical("math.MP") == "math-ph"
    assert canonical("cs.NOPE") is None
    assert canonical_all(["cs.CV", "68T45, I.4.2", "cs.CV", "stat.TH", "math.ST", "quant-ph"]) == (
        "cs.CV", "math.ST", "quant-ph",
    )  # fmt: skip


def records(pages: list[Page]) -> list[str]:
    return [record.source_id for page in pages for record in page.records]


def test_today_is_asked_of_the_categorys_feed(far_end: Loopback) -> None:
    far_end.in_turn(Reply(atom(feed_entry("2603.00001"))))
    pages = list(conversation(far_end).pages("cs.CL", DAY, at=NOON))
    assert records(pages) == ["2603.00001"]
    assert pages[0].day == DAY
    assert [asked.path for asked in far_end.asked] == ["/atom/cs.CL"]


def test_a_past_day_is_asked_of_the_api_once_for_all_categories(far_end: Loopback) -> None:
    far_end.in_turn(
        Reply(
            atom(
                api_entry("2603.00001", categories=["cs.CL"]),
                api_entry("2603.00002", categories=["cs.CV", "cs.CL"]),
                api_entry(
                    "2603.00003", categories=["cs.CV"], published="2026-03-02T19:00:00Z"
                ),  # the next day's
                total=3,
            )
        )
    )
    source = conversation(far_end)
    assert records(list(source.pages("cs.CL", YESTERDAY, at=NOON))) == ["2603.00001", "2603.00002"]
    assert records(list(source.pages("cs.CV", YESTERDAY, at=NOON))) == ["2603.00002"]
    assert len(far_end.asked) == 1
    assert far_end.asked[0].query["search_query"] == (
        "(cat:cs.CL OR cat:cs.CV) AND submittedDate:[202602271900 TO 202603021900]"  # the week-end and Monday
    )


def test_a_weekend_is_quiet_without_a_question(far_end: Loopback) -> None:
    assert records(list(conversation(far_end).pages("cs.CL", date(2026, 2, 28), at=NOON))) == []
    assert far_end.asked == []


def test_long_answers_are_asked_for_slice_by_slice(
    far_end: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.sources.arxiv.PAGE_SIZE", 2)

    def answer(asked: Asked) -> Reply:
        start = int(asked.query["start"])
        entries = [api_entry(f"2603.0000{n}") for n in range(start, min(start + 2, 5))]
        return Reply(atom(*entries, total=5))

    far_end.answer = answer
    pages = list(conversation(far_end).pages("cs.CL", YESTERDAY, at=NOON))
    assert records(pages) == [f"2603.0000{n}" for n in range(5)]
    assert [asked.query["start"] for asked in far_end.asked] == ["0", "2", "4"]


def test_an_empty_answer_that_claims_to_have_papers_is_asked_again_and_then_refused(
    far_end: Loopback,
) -> None:
    far_end.in_turn(Reply(atom(total=9)), Reply(atom(api_entry(), total=1)))
    assert records(list(conversation(far_end).pages("cs.CL", YESTERDAY, at=NOON))) == ["2603.00001"]
    far_end.in_turn(Reply(atom(total=9)))
    far_end.asked.clear()
    with pytest.raises(SourceError, match="has 9 papers and gave none"):
        list(conversation(far_end).pages("cs.CL", YESTERDAY, at=NOON))
    assert len(far_end.asked) == 3


def test_a_failed_day_fails_for_every_category_and_is_asked_once(far_end: Loopback) -> None:
    far_end.in_turn(Reply(b"", status=400))
    source = conversation(far_end)
    for category in ("cs.CL", "cs.CV"):
        with pytest.raises(SourceError, match="answered 400"):
            list(source.pages(category, YESTERDAY, at=NOON))
    assert len(far_end.asked) == 1


def test_ids_are_asked_for_in_slices_and_bring_no_appearance(far_end: Loopback) -> None:
    far_end.answer = lambda asked: Reply(
        atom(
            *(api_entry(name) for name in asked.query["id_list"].split(",") if name != "2603.00000"), total=1
        )
    )
    ids = [f"2603.{n:05d}" for n in range(150)]
    pages = list(conversation(far_end).by_ids([*ids, ids[0]]))
    assert records(pages) == ids[1:]
    assert not any(record.appears for page in pages for record in page.records)
    assert [asked.query["max_results"] for asked in far_end.asked] == ["100", "50"]


def test_an_unknown_category_is_refused_without_a_question(far_end: Loopback) -> None:
    with pytest.raises(SourceError, match=r"no category 'cs\.NOPE'\. Look into ARXIV_CATEGORIES"):
        list(conversation(far_end).pages("cs.NOPE", DAY, at=NOON))
    assert far_end.asked == []


def test_errors_are_passed_on_in_arxivs_words(far_end: Loopback) -> None:
    far_end.in_turn(Reply(atom(title="Feed error for query: x"), status=400))
    with pytest.raises(SourceError, match="arXiv answered 400"):
        list(conversation(far_end).pages("cs.CL", DAY, at=NOON))
    far_end.in_turn(Reply(status=403))
    with pytest.raises(SourceError, match="wants us to stop"):
        list(conversation(far_end).pages("cs.CL", DAY, at=NOON))
    assert complaint(atom(api_entry(abstract="incorrect id format for x"))) == "incorrect id format for x"
    assert complaint(b"Rate exceeded.") == "Rate exceeded."
    assert complaint(b"<html>") == ""


@pytest.mark.django_db(transaction=True)
def test_feeds_and_api_keep_one_pace_together(far_end: Loopback) -> None:
    far_end.answer = lambda asked: Reply(atom(total=0 if asked.path == "/api/query" else None))
    source = Arxiv(pause=timedelta(milliseconds=300))
    for category, day in (("cs.CL", DAY), ("cs.CV", DAY), ("cs.CL", YESTERDAY)):
        list(source.pages(category, day, at=NOON))
    source.close()
    began = [asked.began for asked in far_end.asked]
    assert len(began) == 3
    assert min(later - earlier for earlier, later in pairwise(began)) >= 0.295
