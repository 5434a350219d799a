"""Afterwards: what became of an edition and of each of its papers, as it was counted last."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from digest.admin.edition.pages import context, of_an_edition
from digest.models import Edition
from digest.reporting import Report, report
from subscribers.admin.csv_table import csv_answer

#: Papers in the table on the page and in its chart; the file has all of them.
MOST_PAPERS, DRAWN = 100, 15
_TITLE = 30
#: A colour that can be read on both grounds: a chart's own words do not follow light and dark.
_WORDS = "#8290a3"
_AXIS = {"ticks": {"color": _WORDS, "precision": 0}, "grid": {"display": False}, "border": {"display": False}}


@of_an_edition("digest.view_edition")
def page(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Show the figures, the charts, and each chart's table."""
    told = report(edition)
    more = {
        "report": told,
        "papers": told.papers[:MOST_PAPERS],
        "more_papers": max(len(told.papers) - MOST_PAPERS, 0),
        "hours_chart": _hours_chart(told),
        "papers_chart": _papers_chart(told),
        "hours_options": json.dumps(_options()),
        "papers_options": json.dumps(_options(lying=True)),
        "papers_height": 60 + 34 * min(len(told.papers), DRAWN),
        "provider": settings.ANYMAIL_PROVIDER,
        "webhook_is_open": bool(settings.ANYMAIL.get("WEBHOOK_SECRET")),
        "webhook": f"{settings.SITE_URL}/webhooks/{settings.ANYMAIL_PROVIDER}/tracking/",
    }
    return render(
        request, "admin/edition/report.html", context(request, edition, "admin:edition_report", **more)
    )


@require_POST
@of_an_edition("digest.view_edition")
def table(request: HttpRequest, edition: Edition, name: str) -> HttpResponseBase:
    """Answer with one of the page's tables as a file."""
    if name not in TABLES:
        raise Http404("There is no such table.")
    headers, rows = TABLES[name]
    title = f"edition {edition.day} {name}"
    return csv_answer(request, name=title, headers=headers, rows=rows(report(edition)))


Rows = Callable[[Report], Iterable[Sequence[object]]]
#: {name: (headers, rows)} of what goes out as a file.
TABLES: dict[str, tuple[Sequence[str], Rows]] = {
    "figures": (
        ("figure", "count", "of", "of what", "percent"),
        lambda told: (
            (share.name, share.count, share.of, share.of_what, _plain(share.count, share.of))
            for share in told.shares
        ),
    ),
    "hours": (
        ("hour (UTC)", "accepted", "delivered"),
        lambda told: ((f"{hour:%Y-%m-%d %H:00}", *both) for hour, *both in told.hours),
    ),
    "heard": (
        ("what was heard", "digests", "percent"),
        lambda told: (
            (words, count, _plain(count, sum(line[1] for line in told.heard)))
            for words, count, _share in told.heard
        ),
    ),
    "papers": (
        (
            "title",
            "paper",
            "pinned at",
            "digests",
            "digests as a pin",
            "digests whose readers agreed to count clicks",
            "digests in which a person followed it",
            "percent of those who agreed",
            "digests in which only programs followed it",
        ),
        lambda told: (
            (
                line.title,
                line.identity,
                line.pin or "",
                line.digests,
                line.pinned,
                line.agreed,
                line.clicks,
                _plain(line.clicks, line.agreed),
                line.robots,
            )
            for line in told.papers
        ),
    ),
    "pins": (
        (
            "title",
            "place",
            "readers with the pin",
            "readers without it",
            "added",
            "clicks in percent",
        ),
        lambda told: (
            (
                line.paper.title,
                line.paper.pin,
                line.reached,
                line.by_itself,
                line.added,
                _plain(line.paper.clicks, line.paper.agreed),
            )
            for line in (told.pins.lines if told.pins else ())
        ),
    ),
}


def _plain(count: int, of: int) -> str:
    return f"{100 * count / of:.3f}" if of else ""


def _hours_chart(told: Report) -> str:
    days = [f"{hour:%a} {hour:%H}:00" if hour.hour == 0 else f"{hour:%H}:00" for hour, *_both in told.hours]
    sets = [
        _bars("Accepted by the wire", [accepted for _hour, accepted, _told in told.hours], "primary-600"),
        _bars("Delivered, as the provider tells", [heard for *_hour, heard in told.hours], "primary-300"),
    ]
    return json.dumps({"labels": days, "datasets": sets}) if told.hours else ""


def _papers_chart(told: Report) -> str:
    lines = told.papers[:DRAWN]
    titles = [line.title if len(line.title) <= _TITLE else line.title[: _TITLE - 1] + "…" for line in lines]
    sets = [
        _bars("Chosen by the ranking", [line.digests - line.pinned for line in lines], "primary-300"),
        _bars("As an editor’s pick", [line.pinned for line in lines], "primary-600"),
    ]
    return json.dumps({"labels": titles, "datasets": sets}) if any(line.digests for line in lines) else ""


def _bars(label: str, data: Sequence[object], colour: str) -> dict[str, Any]:
    return {
        "label": label,
        "data": data,
        "backgroundColor": f"var(--color-{colour})",
        "borderRadius": 3,
        "maxBarThickness": 22,
    }


def _options(*, lying: bool = False) -> dict[str, Any]:
    """Return the options of a bar chart; `lying`: the bars lie, one on the other."""
    labels = {"color": _WORDS, "boxWidth": 12, "boxHeight": 12}
    return {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "indexAxis": "y" if lying else "x",
        "scales": {"x": {**_AXIS, "stacked": lying}, "y": {**_AXIS, "stacked": lying, "beginAtZero": True}},
        "plugins": {"legend": {"display": True, "position": "bottom", "labels": labels}},
    }


urls: list[URLPattern] = [
    path("<int:pk>/report/", page, name="edition_report"),
    path("<int:pk>/report/<slug:name>.csv", table, name="edition_report_csv"),
]
