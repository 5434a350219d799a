"""What Hugging Face does not tell of a paper is asked of arXiv, by id."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from digest import coverage
from digest.ingestion import BY_ID, complete, ingest, take_in
from digest.models import Appearance, Edition, IngestRun, Paper
from digest.sources.arxiv import Arxiv
from digest.sources.base import Window
from digest.sources.fetching import Fetcher, Limits
from digest.sources.turn import turn
from tests.cast import NOON, a_topic
from tests.digest.loopback import Asked, Loopback, Reply
from tests.digest.wire import api_entry, atom, daily_papers, featured

pytestmark = pytest.mark.django_db
State = IngestRun.State
TODAY = NOON.date()
TODAY_ONLY = Window(TODAY, TODAY)


def completed(far_end: Loopback) -> IngestRun | None:
    def quick(base: str) -> Fetcher:
        return Fetcher(
            base, limits=Limits(connect=1, read=0.3, whole=2, backoff=0), sleep=lambda _seconds: None
        )

    return complete(
        TODAY_ONLY,
        at=NOON,
        converse=lambda: Arxiv(feeds=quick(far_end.url), api=quick(f"{far_end.url}/api/query")),
    )


@pytest.fixture(autouse=True)
def _two_papers(far_end: Loopback) -> None:
    far_end.answer = lambda _asked: Reply(daily_papers(featured("2603.00001"), featured("2603.00002")))
    ingest("huggingface", TODAY_ONLY, at=NOON)


def test_categories_version_and_topics_come_from_arxiv(far_end: Loopback) -> None:
    topic = a_topic("robots", categories=["cs.RO"])
    asked: list[Asked] = []

    def answer(question: Asked) -> Reply:
        asked.append(question)
        return Reply(atom(api_entry("2603.00001", version=2, categories=["cs.RO"]), total=1))

    far_end.answer = answer
    run = completed(far_end)
    assert run is not None
    assert (run.category, run.state, run.announced, run.updated) == (BY_ID, State.COMPLETE, 1, 1)
    paper = Paper.objects.get(identity="2603.00001")
    assert (paper.categories, paper.version) == (["cs.RO"], 2)
    assert topic in paper.topics.all()
    assert [question.query["id_list"] for question in asked] == ["2603.00001,2603.00002"]
    assert not Appearance.objects.filter(source="arxiv").exists()


def test_only_what_is_still_bare_is_asked_for_again(far_end: Loopback) -> None:
    far_end.answer = lambda _asked: Reply(atom(api_entry("2603.00001"), api_entry("2603.00002"), total=2))
    completed(far_end)
    assert completed(far_end) is None


def test_ids_arxiv_does_not_know_are_no_failure(far_end: Loopback) -> None:
    far_end.answer = lambda _asked: Reply(atom(total=0))
    for _ in range(2):
        run = completed(far_end)
        assert run is not None
        assert run.state == State.QUIET


def test_a_failure_is_a_receipt_and_costs_no_paper(far_end: Loopback) -> None:
    far_end.answer = lambda _asked: Reply(b"<feed", status=200)
    run = completed(far_end)
    assert run is not None
    assert (run.state, bool(run.error)) == (State.FAILED, True)
    assert Paper.objects.count() == 2


def test_such_a_failure_does_not_make_an_edition_say_arxiv_is_missing(far_end: Loopback) -> None:
    IngestRun.objects.create(
        source="arxiv",
        category="cs.CL",
        day=TODAY,
        state=State.COMPLETE,
        started_at=NOON - timedelta(hours=1),
    )
    far_end.answer = lambda _asked: Reply(b"<feed")
    completed(far_end)
    edition = Edition.objects.create(day=TODAY, opened_at=NOON)
    assert coverage.missing(edition, ["arxiv"], at=NOON) == []


@pytest.mark.django_db(transaction=True)
def test_the_clock_takes_in_one_source_at_a_time(far_end: Loopback, settings: Settings) -> None:
    settings.SOURCES = ["huggingface"]
    Paper.objects.all().delete()
    IngestRun.objects.all().delete()
    far_end.answer = lambda _asked: Reply(daily_papers(featured("2603.00009")))
    today = timezone.now().date()
    window = Window(today, today)
    with turn("ingest", pause=timedelta(0), patience=0):
        assert not take_in("huggingface", window, at=timezone.now())
        assert not IngestRun.objects.exists()
    assert take_in("huggingface", window, at=timezone.now())
    assert Paper.objects.filter(identity="2603.00009").exists()
    assert take_in("huggingface", window, at=timezone.now())
    assert IngestRun.objects.count() == 1  # asked just now: not due again
