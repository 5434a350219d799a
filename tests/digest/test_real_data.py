"""Recorded answers of the real sources, where they are at hand (PAPERBOY_REAL_DATA names their folder)."""

import gzip
import json
import os
from datetime import date
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from digest.matching import compile_topics, topics_for
from digest.sources.arxiv_parsing import parse_api, parse_feed
from digest.sources.base import PaperRecord, SourceError
from digest.sources.huggingface import parse

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif("PAPERBOY_REAL_DATA" not in os.environ, reason="PAPERBOY_REAL_DATA is not set"),
]
FOLDER = Path(os.environ.get("PAPERBOY_REAL_DATA", "."))


def featured() -> dict[str, list[PaperRecord]]:
    """Return {day: records} of all recorded days."""
    days: dict[str, list[PaperRecord]] = {}
    for path in sorted((FOLDER / "huggingface").glob("*.json.gz")):
        body = gzip.decompress(path.read_bytes())
        page = parse(body, date.fromisoformat(path.name[:10]))
        assert page.skipped == (), path.name
        assert len(page.records) == len(json.loads(body)), path.name
        days[path.name[:10]] = list(page.records)
    return days


def test_every_recorded_day_of_daily_papers_is_read_whole_and_most_papers_have_a_topic() -> None:
    days = featured()
    assert len(days) > 400
    records = [record for page in days.values() for record in page]
    assert all(record.title.isprintable() and record.arxiv_id and record.published_at for record in records)
    rows = import_module("subscribers.migrations.0003_first_topics").TOPICS
    topics = compile_topics(
        SimpleNamespace(id=n, categories=row[3], include=row[4], exclude=row[5]) for n, row in enumerate(rows)
    )
    found = [len(topics_for((record.title, record.abstract), (), topics)) for record in records]
    assert sum(map(bool, found)) / len(found) > 0.95
    assert 2 < sum(found) / len(found) < 5


def test_every_recorded_answer_of_arxivs_api_is_read_whole() -> None:
    answers = sorted((FOLDER / "arxiv" / "api").glob("*.xml"))
    assert answers
    for path in answers:
        body = path.read_bytes()
        page = parse_api(body, appears=True).page
        assert len(page.records) == body.count(b"<entry>"), path.name
        assert page.skipped == (), path.name


def test_the_recorded_feed_is_read_whole_and_its_error_refused() -> None:
    feeds = FOLDER / "arxiv" / "rss"
    page = parse_feed((feeds / "arxiv_rss_atom_sample.xml").read_bytes(), date(2026, 11, 20))
    assert [record.appears for record in page.records] == [True, True, False, False]
    assert page.day == date(2026, 11, 20)
    assert page.records[2].authors == ("Ada Sample Jr.", "Bo O'Neil")
    with pytest.raises(SourceError, match="no Atom feed"):
        parse_feed((feeds / "arxiv_rss_error_400.xml").read_bytes(), date(2026, 11, 20))
