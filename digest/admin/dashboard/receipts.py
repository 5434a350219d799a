"""What was asked of each source for yesterday and today, and what came of it: a sentence each."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from digest.admin import ways
from digest.admin.dashboard.moments import clock_time, span
from digest.asking import ASKED_WITHIN
from digest.ingestion import BY_ID
from digest.models import IngestRun
from digest.rendering.opening import NAMES
from digest.sources.announcements import eastern_date, has_announcement

_DAY = timedelta(days=1)
_State = IngestRun.State
#: Receipts looked at, the newest first: enough for two days of what is usually asked, and bounded.
_MOST = 2_000
_FIELDS = (
    "source", "category", "day", "state", "announced", "new", "updated", "unchanged", "skipped", "reasons",
    "error", "started_at", "finished_at",
)  # fmt: skip


def receipts(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """Return a row for each source and category, with what is known of yesterday and today."""
    newest = _newest(at)
    rows = []
    for source, category, today in _asked(at):
        cells = [
            _cell(request, newest.get((source, category, day)), (source, category, day), at)
            for day in (today, today - _DAY)
        ]
        rows.append({"source": NAMES.get(source, source), "category": category, "cells": cells})
    return {"rows": rows, "url": ways.rows(request, IngestRun), "failed": _failed(rows)}


def _failed(rows: list[dict[str, Any]]) -> list[str]:
    """Return the names of what failed today."""
    return [f"{row['source']} {row['category']}".strip() for row in rows if row["cells"][0]["tone"] == "bad"]


def _asked(at: datetime) -> Iterator[tuple[str, str, date]]:
    """Yield (source, category, its today): Hugging Face counts days in UTC, arXiv in Eastern time."""
    if "huggingface" in settings.SOURCES:
        yield "huggingface", "", at.astimezone(UTC).date()
    if "arxiv" in settings.SOURCES:
        for category in settings.ARXIV_CATEGORIES:
            yield "arxiv", category, eastern_date(at)


def _newest(at: datetime) -> dict[tuple[str, str, date], IngestRun]:
    """Return the newest receipt of each source, category and day."""
    runs = (
        IngestRun.objects.filter(started_at__gte=at - 3 * _DAY, started_at__lte=at + _DAY)
        .exclude(category=BY_ID)
        .only(*_FIELDS)
        .order_by("-started_at", "-pk")[:_MOST]
    )
    found: dict[tuple[str, str, date], IngestRun] = {}
    for run in runs:
        found.setdefault((run.source, run.category, run.day), run)
    return found


def _cell(
    request: HttpRequest, run: IngestRun | None, key: tuple[str, str, date], at: datetime
) -> dict[str, Any]:
    source, category, day = key
    tone, told = _told(run, source, day, at)
    behind = {"source__exact": source, "category__exact": category, "day__exact": day.isoformat()}
    url = ways.rows(request, IngestRun, **behind) if run else ""
    return {"day": day, "tone": tone, "told": told, "url": url}


def _told(run: IngestRun | None, source: str, day: date, at: datetime) -> tuple[str, str]:
    """Return (tone, sentence)."""
    holiday = source == "arxiv" and not has_announcement(day)
    if run is None:
        return "plain", "nothing is announced on this day" if holiday else "not asked yet"
    if run.state == _State.RUNNING:
        if at - run.started_at >= ASKED_WITHIN:
            return "warn", f"asked {span(at - run.started_at)} ago, without an end"
        return "plain", f"being asked since {clock_time(run.started_at, now=at)}"
    if run.state == _State.FAILED:
        return "bad", f"failed: {run.error or 'nobody knows why'}"
    if run.state == _State.QUIET:
        return "plain", "no announcement: a weekend or holiday" if holiday else "quiet day: it had nothing"
    return "good", _complete(run)


def _complete(run: IngestRun) -> str:
    stored = run.new + run.updated + run.unchanged
    told = f"announced {run.announced:,}, stored {stored:,}"
    if not run.skipped:
        return told
    reasons = "; ".join(f"{many:,} {why}" for why, many in sorted(run.reasons.items()))
    return f"{told}, skipped {run.skipped:,}" + (f" ({reasons})" if reasons else "")
