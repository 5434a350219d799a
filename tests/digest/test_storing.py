"""Papers merge by identity, and nothing that is known gets lost."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connections
from pytest_django import DjangoAssertNumQueries

from digest.ingestion import rematch, store
from digest.models import Appearance, Paper
from digest.sources.base import PaperRecord
from digest.storing import current_topics, store_all
from subscribers.models import Topic
from tests.cast import NOON, a_topic

LATER = datetime(2026, 3, 5, 12, tzinfo=UTC)


def told(source: str = "arxiv", number: str = "2603.00001", **fields: Any) -> PaperRecord:
    """Return what a source tells of an invented paper; Hugging Face knows no version and no categories."""
    base = PaperRecord(
        source=source,
        source_id=number,
        arxiv_id=number,
        version=1 if source == "arxiv" else 0,
        title=f"As told by {source}",
        abstract="We invent a question and answer it.",
        authors=("Ada Example",),
        categories=("cs.CL", "cs.LG") if source == "arxiv" else (),
        published_at=NOON,
        updated_at=None,
        day=date(2026, 3, 4),
    )
    return replace(base, **fields)


@pytest.fixture(autouse=True)
def _no_seeded_topics(db: None) -> None:  # noqa: ARG001 - asked for its effect
    Topic.objects.all().delete()


def test_a_new_paper_is_stored_with_its_appearance_and_topics() -> None:
    topic = a_topic("language", categories=["cs.CL"])
    paper, outcome = store(told(), at=NOON)
    assert outcome == "new"
    assert (paper.identity, paper.arxiv_id, paper.version) == ("2603.00001", "2603.00001", 1)
    assert (paper.categories, paper.primary_category) == (["cs.CL", "cs.LG"], "cs.CL")
    assert paper.authors == ["Ada Example"]
    assert paper.stored_at == NOON
    assert list(paper.topics.all()) == [topic]
    assert list(paper.appearances.values_list("source", "day")) == [("arxiv", date(2026, 3, 4))]


def test_telling_the_same_again_changes_nothing() -> None:
    store(told(), at=NOON)
    paper, outcome = store(told(), at=LATER)
    assert outcome == "unchanged"
    assert paper.stored_at == NOON
    assert Paper.objects.count() == Appearance.objects.count() == 1


def test_ids_that_differ_by_a_zero_are_two_papers() -> None:
    store(told(number="2503.0213"), at=NOON)
    store(told(number="2503.02130"), at=NOON)
    assert Paper.objects.count() == 2


def test_two_sources_are_one_paper_with_two_appearances() -> None:
    store(told(), at=NOON)
    paper, outcome = store(told("huggingface", upvotes=9, day=date(2026, 3, 6)), at=LATER)
    assert outcome == "updated"
    assert (paper.title, paper.upvotes) == ("As told by arxiv", 9)
    assert set(paper.appearances.values_list("source", "day")) == {
        ("arxiv", date(2026, 3, 4)),
        ("huggingface", date(2026, 3, 6)),
    }


def test_the_text_of_the_source_that_knows_the_version_wins() -> None:
    store(told("huggingface"), at=NOON)
    paper, _ = store(told(), at=LATER)
    assert (paper.title, paper.version) == ("As told by arxiv", 1)
    paper, _ = store(told("huggingface", title="Lossy"), at=LATER)
    assert paper.title == "As told by arxiv"


def test_the_latest_version_wins_and_an_older_one_comes_too_late() -> None:
    store(told(version=2, title="Second"), at=NOON)
    assert store(told(version=1, title="First"), at=LATER)[1] == "unchanged"
    paper, outcome = store(told(version=3, title="Third", categories=("cs.CV",)), at=LATER)
    assert (paper.title, paper.version, paper.primary_category, outcome) == ("Third", 3, "cs.CV", "updated")


def test_a_source_that_says_nothing_erases_nothing() -> None:
    rich = told(
        "huggingface", upvotes=9, comments=2, stars=5, code_url="https://c.example", project_url="https://p.example",
        thumbnail_url="https://t.example", summary="One line.",
    )  # fmt: skip
    store(rich, at=NOON)
    store(told(published_at=None), at=LATER)
    paper, _ = store(told("huggingface", published_at=None), at=LATER)
    assert (paper.upvotes, paper.comments, paper.stars) == (9, 2, 5)
    assert (paper.code_url, paper.project_url) == ("https://c.example", "https://p.example")
    assert (paper.thumbnail_url, paper.summary) == ("https://t.example", "One line.")
    assert paper.published_at == NOON
    assert paper.categories == ["cs.CL", "cs.LG"]


def test_votes_may_fall() -> None:
    store(told("huggingface", upvotes=9), at=NOON)
    assert store(told("huggingface", upvotes=0), at=LATER)[0].upvotes == 0


def test_the_first_appearance_on_a_source_stays() -> None:
    store(told(), at=NOON)
    store(told(day=date(2026, 3, 9), version=2), at=LATER)
    assert Appearance.objects.get().day == date(2026, 3, 4)


def test_a_new_version_updates_a_paper_we_have_and_makes_no_appearance() -> None:
    store(told("huggingface"), at=NOON)
    _, outcome = store(told(version=2, appears=False), at=LATER)
    assert outcome == "updated"
    assert Appearance.objects.get().source == "huggingface"


def test_a_new_version_of_a_paper_we_never_had_is_not_stored() -> None:
    counts = store_all([told(version=4, appears=False)], at=NOON, topics=current_topics())
    assert (counts.unknown, counts.new, Paper.objects.count()) == (1, 0, 0)
    with pytest.raises(Paper.DoesNotExist):
        store(told(version=4, appears=False), at=NOON)


def test_a_withdrawn_paper_leaves_at_the_moment_we_hear_and_may_return() -> None:
    store(told(), at=NOON)
    assert store(told("huggingface", withdrawn=True), at=LATER)[0].withdrawn_at == LATER
    assert store(told(), at=LATER)[0].withdrawn_at == LATER  # the version we had says nothing new
    assert store(told(version=2), at=LATER)[0].withdrawn_at is None
    assert store(told(version=1, withdrawn=True), at=LATER)[0].withdrawn_at is None
    assert store(told(version=3, withdrawn=True), at=LATER)[0].withdrawn_at == LATER


def test_topics_follow_the_text() -> None:
    old, new = a_topic("old", include=["question"]), a_topic("new", include=["gaussian splatting"])
    paper, _ = store(told(), at=NOON)
    assert list(paper.topics.all()) == [old]
    paper, _ = store(told(version=2, abstract="Gaussian splatting."), at=LATER)
    assert list(paper.topics.all()) == [new]


def test_an_inactive_topic_gets_no_papers() -> None:
    a_topic("idle", include=["question"], active=False)
    assert store(told(), at=NOON)[0].topics.count() == 0


def test_the_same_paper_twice_in_one_answer_is_one_paper() -> None:
    counts = store_all([told(), told(), told(version=2, title="Second")], at=NOON, topics=current_topics())
    assert (counts.new, counts.unchanged, counts.updated) == (1, 1, 1)
    assert Paper.objects.get().title == "Second"


def test_a_batch_that_fails_leaves_nothing_behind() -> None:
    poison = told(number="2603.00002", title=None)
    with pytest.raises((IntegrityError, KeyError)):
        store_all([told(), poison], at=NOON, topics=current_topics())
    assert Paper.objects.count() == Appearance.objects.count() == 0


def test_a_hundred_papers_cost_few_statements(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    a_topic("language", categories=["cs.CL"])
    records = [told("huggingface", f"2603.{n:05d}", upvotes=n) for n in range(100)]
    topics = current_topics()
    with django_assert_max_num_queries(12):
        store_all(records, at=NOON, topics=topics)
    with django_assert_max_num_queries(12):
        assert store_all([replace(r, upvotes=1000) for r in records], at=NOON, topics=topics).updated == 100


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_store_the_same_papers_at_once_store_them_once() -> None:
    records = [told(number=f"2603.{n:05d}") for n in range(300)]
    faults: list[Exception] = []

    def work(mine: list[PaperRecord]) -> None:
        try:
            for start in range(0, 300, 50):
                store_all(mine[start : start + 50], at=NOON, topics=current_topics())
        except Exception as error:  # noqa: BLE001 - looked at below
            faults.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(list(order),)) for order in (records, records[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert Paper.objects.count() == Appearance.objects.count() == 300


def test_rematching_moves_papers_when_a_curator_edits_a_topic() -> None:
    topic, other = a_topic("language", include=["question"]), a_topic("other", include=["question"])
    for number in range(5):
        store(told(number=f"2603.0000{number}"), at=NOON)
    assert rematch() == 0
    topic.include = ["nothing like it"]
    topic.save()
    assert rematch([topic]) == 5
    assert (topic.papers.count(), other.papers.count()) == (0, 5)
    topic.categories = ["cs.CL"]
    topic.save()
    assert rematch([topic]) == 5
    assert topic.papers.count() == 5
    topic.active = False
    topic.save()
    assert rematch() == 5
    assert (topic.papers.count(), other.papers.count()) == (0, 5)


def test_rematching_goes_through_all_papers_chunk_by_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.ingestion._CHUNK", 3)
    store_all([told(number=f"2603.{n:05d}") for n in range(10)], at=NOON, topics=current_topics())
    topic = a_topic("language", categories=["cs.CL"])
    assert rematch() == 10
    assert topic.papers.count() == 10
