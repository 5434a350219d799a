"""Sources are asked, papers stored, and every run leaves a receipt that says what happened."""

import re
import resource
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import connections

from digest.ingestion import ingest
from digest.models import Appearance, IngestRun, Paper, PaperTopic
from digest.sources import SOURCES
from digest.sources.arxiv import Arxiv
from digest.sources.base import Window
from digest.sources.fetching import Fetcher, Limits
from digest.sources.huggingface import HuggingFace
from subscribers.models import Topic
from tests.cast import NOON, a_topic
from tests.digest.loopback import Asked, Loopback, Reply, bomb
from tests.digest.wire import api_entry, atom, daily_papers, featured, feed_entry

pytestmark = pytest.mark.django_db
State = IngestRun.State
TODAY = NOON.date()
TODAY_ONLY = Window(TODAY, TODAY)
QUICK = Limits(connect=1, read=0.3, whole=2, backoff=0)


@pytest.fixture(autouse=True)
def _quick_sources(monkeypatch: pytest.MonkeyPatch, far_end: Loopback) -> None:
    """The real sources, with short limits and without pauses."""

    def fetcher(base: str) -> Fetcher:
        return Fetcher(base, limits=QUICK, sleep=lambda _seconds: None)

    monkeypatch.setitem(SOURCES, "huggingface", lambda: HuggingFace(fetcher(far_end.url)))
    monkeypatch.setitem(
        SOURCES, "arxiv", lambda: Arxiv(feeds=fetcher(far_end.url), api=fetcher(f"{far_end.url}/api/query"))
    )


def counts(run: IngestRun) -> tuple[int, int, int, int, int]:
    return run.announced, run.new, run.updated, run.unchanged, run.skipped


def good(asked: Asked) -> Reply:
    """Answer any question well, with two papers."""
    if asked.path == "/api/daily_papers":
        return Reply(daily_papers(featured("2603.00001"), featured("2603.00002")))
    if asked.path == "/api/query":
        return Reply(atom(api_entry("2603.00001"), api_entry("2603.00002", categories=["cs.CV"]), total=2))
    return Reply(
        atom(feed_entry("2603.00001"), feed_entry("2603.00002", kind="cross", categories=["cs.CV", "cs.CL"]))
    )


def test_a_receipt_counts_what_was_new_updated_unchanged_and_skipped(far_end: Loopback) -> None:
    far_end.in_turn(Reply(daily_papers(featured("2603.00001"), featured("2603.00002"))))
    (first,) = ingest("huggingface", TODAY_ONLY, at=NOON)
    assert (first.state, counts(first)) == (State.COMPLETE, (2, 2, 0, 0, 0))
    far_end.in_turn(
        Reply(
            daily_papers(featured("2603.00001", upvotes=99), featured("2603.00002"), featured(title=1), None)
        )
    )
    (second,) = ingest("huggingface", TODAY_ONLY, at=NOON + timedelta(hours=1))
    assert (second.state, counts(second)) == (State.COMPLETE, (4, 0, 1, 1, 2))
    assert second.reasons == {"title is not text": 1, "paper is missing": 1}
    assert Paper.objects.get(identity="2603.00001").upvotes == 99
    stored = IngestRun.objects.get(pk=second.pk)
    assert (stored.state, stored.reasons) == (second.state, second.reasons)
    assert stored.finished_at is not None
    assert NOON <= stored.started_at <= stored.finished_at


def test_every_category_and_day_has_its_own_receipt(far_end: Loopback) -> None:
    far_end.answer = good
    seen: list[IngestRun] = []
    window = Window(TODAY - timedelta(days=1), TODAY)
    runs = ingest("arxiv", window, at=NOON, progress=seen.append)
    assert [(run.category, run.day, run.state) for run in runs] == [
        ("cs.CL", window.first, State.COMPLETE),
        ("cs.CV", window.first, State.COMPLETE),
        ("cs.CL", TODAY, State.COMPLETE),
        ("cs.CV", TODAY, State.COMPLETE),
    ]
    assert seen == runs
    assert Paper.objects.count() == 2


def test_a_quiet_day_is_not_a_failure(far_end: Loopback) -> None:
    far_end.in_turn(Reply(b"[]"))
    (run,) = ingest("huggingface", TODAY_ONLY, at=NOON)
    assert (run.state, run.error) == (State.QUIET, "")


def test_a_day_that_had_papers_and_suddenly_has_none_is_a_failure(far_end: Loopback) -> None:
    far_end.in_turn(Reply(daily_papers(featured())), Reply(b"[]"))
    ingest("huggingface", TODAY_ONLY, at=NOON)
    (run,) = ingest("huggingface", TODAY_ONLY, at=NOON)
    assert run.state == State.FAILED
    assert "earlier there were 1 papers" in run.error
    assert Paper.objects.count() == 1


def test_a_day_of_which_not_one_entry_can_be_read_is_a_failure(far_end: Loopback) -> None:
    far_end.in_turn(Reply(daily_papers(featured(title=1), featured(title=2), None)))
    (run,) = ingest("huggingface", TODAY_ONLY, at=NOON)
    assert run.state == State.FAILED
    assert run.error == "Not one of 3 entries could be read; most often: title is not text."


def test_what_came_before_a_broken_page_stays_and_the_run_says_it_failed(far_end: Loopback) -> None:
    link = {"Link": '</api/daily_papers?p=1>; rel="next"'}
    far_end.in_turn(Reply(daily_papers(featured()), headers=link), Reply(b"[{", headers=link))
    (run,) = ingest("huggingface", TODAY_ONLY, at=NOON)
    assert (run.state, counts(run)) == (State.FAILED, (1, 1, 0, 0, 0))
    assert "broken JSON" in run.error
    assert Paper.objects.count() == 1


def test_new_versions_of_papers_we_never_had_are_counted_and_not_stored(far_end: Loopback) -> None:
    far_end.in_turn(
        Reply(atom(feed_entry("2501.00001", kind="replace", version=2), feed_entry("2603.00002")))
    )
    run = ingest("arxiv", TODAY_ONLY, at=NOON)[0]
    assert (run.state, counts(run)) == (State.COMPLETE, (2, 1, 0, 0, 1))
    assert run.reasons == {"new version of a paper not held": 1}
    far_end.in_turn(Reply(atom(feed_entry("2501.00001", kind="replace", version=2))))
    assert ingest("arxiv", TODAY_ONLY, at=NOON)[0].state == State.COMPLETE
    assert list(Paper.objects.values_list("identity", flat=True)) == ["2603.00002"]


def test_a_feed_still_of_another_day_is_receipted_for_the_day_it_is_of(far_end: Loopback) -> None:
    far_end.in_turn(Reply(atom(feed_entry(day="2026-03-03"))))
    run = ingest("arxiv", TODAY_ONLY, at=NOON)[0]
    assert (run.day, run.state) == (date(2026, 3, 3), State.COMPLETE)
    assert Appearance.objects.get().day == date(2026, 3, 3)


def test_a_fault_of_our_own_costs_one_run_and_not_the_others(
    far_end: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    far_end.answer = good
    broken = iter([True, False])

    def conclude(run: IngestRun) -> None:
        if next(broken):
            raise ZeroDivisionError
        run.state = State.COMPLETE

    monkeypatch.setattr("digest.ingestion._refuse_unreadable", conclude)
    runs = ingest("arxiv", TODAY_ONLY, at=NOON)
    assert [run.state for run in runs] == [State.FAILED, State.COMPLETE]
    assert "A fault in Paperboy (ZeroDivisionError)" in runs[0].error


def test_a_source_that_is_down_is_not_asked_for_a_hundred_days(far_end: Loopback) -> None:
    far_end.in_turn(Reply(status=500))
    runs = ingest("huggingface", Window(TODAY - timedelta(days=99), TODAY), at=NOON)
    assert [run.state for run in runs] == [State.FAILED] * 100
    assert len(far_end.asked) == 8  # two runs of four tries
    assert runs[0].error == "127.0.0.1 answered 500 (asked 4 times)."
    assert runs[99].error.startswith(
        "Not asked, after 2 failures in a row. The last one: 127.0.0.1 answered 500"
    )


def test_one_good_answer_between_failures_keeps_asking(far_end: Loopback) -> None:
    far_end.answer = lambda asked: (
        Reply(b"[]") if asked.query["date"].endswith(("2", "4")) else Reply(status=500)
    )
    runs = ingest("huggingface", Window(date(2026, 3, 1), date(2026, 3, 5)), at=NOON)
    assert [run.state for run in runs] == ["failed", "quiet", "failed", "quiet", "failed"]
    assert not any("Not asked" in run.error for run in runs)


def test_a_run_that_never_ended_is_closed_by_the_next_one(far_end: Loopback) -> None:
    far_end.answer = good
    dead = IngestRun.objects.create(source="huggingface", day=TODAY, started_at=NOON - timedelta(minutes=11))
    ingest("huggingface", TODAY_ONLY, at=NOON)
    dead.refresh_from_db()
    assert (dead.state, dead.error) == (State.FAILED, "The process ended in the middle of it.")


def test_the_clock_leaves_alone_what_another_process_is_asking(far_end: Loopback) -> None:
    far_end.answer = good
    IngestRun.objects.create(source="huggingface", day=TODAY, started_at=NOON - timedelta(minutes=9))
    assert ingest("huggingface", TODAY_ONLY, at=NOON, again=False) == []
    assert far_end.asked == []
    assert len(ingest("huggingface", TODAY_ONLY, at=NOON)) == 1  # by hand: asked all the same


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_ask_once(far_end: Loopback) -> None:
    def slowly(asked: Asked) -> Reply:
        time.sleep(0.2)
        return good(asked)

    far_end.answer = slowly
    start = threading.Barrier(4)

    def beat() -> None:
        try:
            start.wait()
            ingest("huggingface", TODAY_ONLY, at=NOON, again=False)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=beat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(far_end.asked) == 1
    assert IngestRun.objects.count() == 1


DTD = b"""<?xml version='1.0'?><!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY l "lol">]>
<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>&x;&l;</title></entry></feed>"""
FAULTS: dict[str, tuple[Callable[[bytes], Reply], str]] = {
    "429": (lambda _good: Reply(b"Rate exceeded.", status=429), "answered 429"),
    "500": (lambda _good: Reply(status=500), "answered 500"),
    "503": (lambda _good: Reply(status=503), "answered 503"),
    "hang": (lambda good: Reply(good, deed="hang"), "did not answer in time"),
    "truncate": (lambda good: Reply(good, deed="truncate"), "The connection to 127.0.0.1 failed"),
    "reset": (lambda good: Reply(good, deed="reset"), "The connection to 127.0.0.1 failed"),
    "html": (lambda _good: Reply(b"<!DOCTYPE html><html><title>Sign in</title></html>"), "a web page"),
    "gzip-bomb": (lambda good: bomb(good, 60), "sent more than 20 MB"),
    "xxe": (lambda _good: Reply(DTD), "(document type|a web page or XML)"),
    "redirect": (
        lambda _good: Reply(status=302, headers={"Location": "file:///etc/passwd"}),
        "leads to another",
    ),
    "badjson": (lambda good: Reply(good.rstrip()[:-1] + b",}"), "broken (JSON|XML)"),
    "nothing": (lambda _good: Reply(b""), "broken (JSON|XML)"),
}


WINDOWS = pytest.mark.parametrize(
    ("source", "window"),
    [
        ("huggingface", TODAY_ONLY),
        ("arxiv", TODAY_ONLY),
        ("arxiv", Window(TODAY - timedelta(days=1), TODAY - timedelta(days=1))),
    ],
    ids=["huggingface", "feed", "api"],
)


@WINDOWS
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_crashes_loses_or_half_stores_anything(
    far_end: Loopback, fault: str, source: str, window: Window
) -> None:
    far_end.answer = good
    ingest(source, window, at=NOON)
    before = list(Paper.objects.order_by("pk").values())
    spoil, sentence = FAULTS[fault]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    far_end.answer = lambda asked: spoil(good(asked).body)
    runs = ingest(source, window, at=NOON + timedelta(hours=1))
    assert {run.state for run in runs} == {State.FAILED}
    assert all(re.search(sentence, run.error) for run in runs), [run.error for run in runs]
    assert list(Paper.objects.order_by("pk").values()) == before
    assert not Paper.objects.filter(appearances=None).exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 150_000  # kB on Linux


@WINDOWS
def test_titles_of_megabytes_are_cut_and_cost_no_more_than_themselves(
    far_end: Loopback, source: str, window: Window
) -> None:
    far_end.answer = lambda asked: Reply(good(asked).body.replace(b"Invented paper", b"A" * 4_000_000))
    runs = ingest(source, window, at=NOON)
    assert {run.state for run in runs} == {State.COMPLETE}
    assert {len(title) for title in Paper.objects.values_list("title", flat=True)} == {500}


@WINDOWS
def test_one_title_that_is_not_utf_8_costs_one_paper(far_end: Loopback, source: str, window: Window) -> None:
    far_end.answer = lambda asked: Reply(
        good(asked).body.replace(b"Invented paper 2603.00001", b"\xff\xfe\xc3(")
    )
    run = ingest(source, window, at=NOON)[0]
    assert (run.state, run.reasons) == (State.COMPLETE, {"title is not UTF-8": 1})
    assert [paper.identity for paper in Paper.objects.all()] == ["2603.00002"]


def test_papers_are_matched_while_they_are_stored(far_end: Loopback) -> None:
    Topic.objects.all().delete()
    topic = a_topic("question", include=["invented paper"])
    far_end.answer = good
    ingest("huggingface", TODAY_ONLY, at=NOON)
    assert PaperTopic.objects.filter(topic=topic).count() == 2
