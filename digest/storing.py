"""Put what a source tells into the database: papers by identity, their appearances, their topics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import transaction

from digest.matching import Compiled, compile_topics, topics_for
from digest.models import Appearance, Paper, PaperTopic
from digest.sources.base import PaperRecord
from subscribers.models import Topic

Outcome = Literal["new", "updated", "unchanged"]
_BATCH = 200
_MATCHED_BY = {"title", "abstract", "categories"}


@dataclass(slots=True)
class Stored:
    """How many entries were new, updated, told nothing new, or were news about papers that we do not have."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    unknown: int = 0


def current_topics() -> Compiled:
    """Return the topics papers are matched to now."""
    return compile_topics(Topic.objects.filter(active=True))


def store(record: PaperRecord, *, at: datetime) -> tuple[Paper, Outcome]:
    """Store one record; return its paper and what it was to us.

    Raises Paper.DoesNotExist for news, such as a new version, about a paper that never appeared here.
    """
    counts = store_all([record], at=at, topics=current_topics())
    outcome: Outcome = "new" if counts.new else "updated" if counts.updated else "unchanged"
    return Paper.objects.get(identity=record.identity), outcome


def store_all(records: Sequence[PaperRecord], *, at: datetime, topics: Compiled) -> Stored:
    """Store `records` whole or not at all, in a few statements a batch."""
    counts = Stored()
    with transaction.atomic():
        for start in range(0, len(records), _BATCH):
            _store_batch(records[start : start + _BATCH], at, topics, counts)
    return counts


def _store_batch(records: Sequence[PaperRecord], at: datetime, topics: Compiled, counts: Stored) -> None:
    identities = {record.identity for record in records}
    # One order for all processes, so that two of them never wait for each other's rows.
    known = Paper.objects.select_for_update().filter(identity__in=identities).order_by("identity")
    papers = {paper.identity: paper for paper in known}
    changed: dict[str, set[str]] = {}
    fresh: set[str] = set()
    for record in records:
        paper = papers.get(record.identity)
        if paper is None and not record.appears:
            counts.unknown += 1
            continue
        if paper is None:
            paper = papers[record.identity] = Paper(
                identity=record.identity, arxiv_id=record.arxiv_id, version=0, stored_at=at
            )
            fresh.add(record.identity)
            merge(paper, record, at)
            counts.new += 1
            continue
        fields = merge(paper, record, at)
        changed.setdefault(record.identity, set()).update(fields)
        counts.updated += bool(fields)
        counts.unchanged += not fields
    _write(papers, fresh, changed)
    _appear(records, papers)
    rematched = [papers[name] for name in papers if name in fresh or changed.get(name, set()) & _MATCHED_BY]
    set_topics(rematched, topics)


def _write(papers: dict[str, Paper], fresh: set[str], changed: dict[str, set[str]]) -> None:
    # Another process may have stored the same paper this moment: its row stands, the next poll completes it.
    Paper.objects.bulk_create([papers[name] for name in sorted(fresh)], ignore_conflicts=True)
    pks = dict(Paper.objects.filter(identity__in=fresh).values_list("identity", "pk"))
    for name in fresh:
        papers[name].pk = pks[name]
    touched = sorted(name for name, fields in changed.items() if fields and name not in fresh)
    if touched:
        fields = sorted(set().union(*(changed[name] for name in touched)))
        Paper.objects.bulk_update([papers[name] for name in touched], fields)


def _appear(records: Sequence[PaperRecord], papers: dict[str, Paper]) -> None:
    """Note where papers appeared; a first appearance on a source stays the only one."""
    Appearance.objects.bulk_create(
        [
            Appearance(paper=papers[record.identity], source=record.source, day=record.day)
            for record in records
            if record.appears
        ],
        ignore_conflicts=True,
    )


def set_topics(papers: Iterable[Paper], topics: Compiled) -> None:
    """Write which topics `papers` belong to."""
    rows = {paper.pk: topics_for((paper.title, paper.abstract), paper.categories, topics) for paper in papers}
    PaperTopic.objects.filter(paper_id__in=rows).delete()
    PaperTopic.objects.bulk_create(
        [PaperTopic(paper_id=pk, topic_id=topic) for pk, found in rows.items() for topic in sorted(found)],
        ignore_conflicts=True,
    )


def merge(paper: Paper, record: PaperRecord, at: datetime) -> set[str]:
    """Put into `paper` what `record` knows better; return the names of the fields that changed.

    The latest version's text wins; a source that does not tell the version yields to one that does. What a
    source leaves out, it does not erase.
    """
    values = _told(record) | (_text(record) if record.version >= paper.version else {})
    if record.categories and (record.version >= paper.version or not paper.categories):
        values |= {"categories": list(record.categories), "primary_category": record.categories[0]}
    if record.published_at and (paper.published_at is None or record.version):
        values["published_at"] = record.published_at
    if (
        record.withdrawn
        and not paper.withdrawn_at
        and record.version in {0, max(record.version, paper.version)}
    ):
        values["withdrawn_at"] = at
    elif paper.withdrawn_at and not record.withdrawn and record.version > paper.version:
        values["withdrawn_at"] = None
    changed = {name for name, value in values.items() if getattr(paper, name) != value}
    for name in changed:
        setattr(paper, name, values[name])
    return changed


def _text(record: PaperRecord) -> dict[str, Any]:
    values: dict[str, Any] = {"title": record.title, "abstract": record.abstract, "version": record.version}
    if record.authors:
        values["authors"] = list(record.authors)
    if record.updated_at:
        values["updated_at"] = record.updated_at
    return values


def _told(record: PaperRecord) -> dict[str, Any]:
    """Return what needs no version to be true: the community's signals and links."""
    names = ("upvotes", "comments", "stars", "code_url", "project_url", "thumbnail_url", "summary")
    return {name: value for name in names if (value := getattr(record, name)) not in (None, "")}
