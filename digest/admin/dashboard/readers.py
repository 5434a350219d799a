"""Who reads: the kept figures of 90 days, and what the last week and the last month brought."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from digest import figures
from digest.admin import ways
from digest.models import DailyFigures
from subscribers.models import Subscriber

_DAY = timedelta(days=1)
_Status = Subscriber.Status


def readership(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """Return today's count, what came and went, and a row for each of the last 90 days."""
    today = at.astimezone(UTC).date()
    rows = list(DailyFigures.objects.filter(day__gt=today - figures.DAYS * _DAY).order_by("day"))
    if not rows:
        return {"rows": [], "cards": []}
    last = rows[-1]
    week = [row for row in rows if row.day > today - 7 * _DAY]
    before = [row for row in rows if today - 14 * _DAY < row.day <= today - 7 * _DAY]
    since = f"{today - 6 * _DAY}T00:00Z"
    cards = [
        _card("Active readers", last.active, _month(rows), _readers(request, status__exact=_Status.ACTIVE)),
        _card(
            "New in 7 days",
            _joined(week),
            f"{_joined(before):,} in the 7 days before",
            _readers(request, confirmed_at__gte=since),
        ),
        _card(
            "Lost in 7 days",
            _lost(week),
            _why_lost(week),
            _readers(request, status_at__gte=since, status__in="unsubscribed,suppressed"),
        ),
        _card("Paused", last.paused, _share(last), _readers(request, paused_until__gt=today.isoformat())),
        _card("Unconfirmed", last.pending, "", _readers(request, status__exact=_Status.PENDING)),
    ]
    return {
        "cards": cards,
        "rows": rows,
        "at": last.at,
        "url": ways.rows(request, DailyFigures),
        "export": _export(request, rows),
    }


def _card(label: str, many: int | None, told: str, url: str) -> dict[str, Any]:
    return {"label": label, "many": many, "told": told, "url": url}


def _readers(request: HttpRequest, **filters: str) -> str:
    return ways.rows(request, Subscriber, **filters)


def _joined(rows: Iterable[DailyFigures]) -> int:
    return sum(row.joined for row in rows)


def _lost(rows: Iterable[DailyFigures]) -> int:
    return sum(row.left + row.suppressed for row in rows)


def _why_lost(rows: list[DailyFigures]) -> str:
    left, suppressed = sum(row.left for row in rows), sum(row.suppressed for row in rows)
    return f"{left:,} left, {suppressed:,} bounced or complained"


def _month(rows: list[DailyFigures]) -> str:
    """Return how the number has changed over 30 days, or since it is counted."""
    earlier = rows[-31] if len(rows) > 30 else rows[0]
    if earlier is rows[-1]:
        return "counted since today"
    change = rows[-1].active - earlier.active
    days = (rows[-1].day - earlier.day).days
    return f"{f'{change:+,}' if change else 'no change'} in {days} {'day' if days == 1 else 'days'}"


def _share(row: DailyFigures) -> str:
    return f"{100 * (row.paused or 0) / row.active:.1f} % of the active" if row.active else ""


def _export(request: HttpRequest, rows: list[DailyFigures]) -> str:
    """Return where the table is asked for as a file, or nothing for who may not."""
    if not ways.may_list(request, DailyFigures):
        return ""
    return f"{reverse('admin:digest_dailyfigures_export')}?day__gte={rows[0].day}"
