"""The last editions: what became of their digests, whether the account adds up, and how welcome they were."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from digest import editions
from digest.admin import ways
from digest.delivery import balance
from digest.halting import BOUNCES, COMPLAINTS, Limit
from digest.models import Delivery, Edition, EditionFigures, ProviderEvent

_State = Delivery.State
EDITIONS = 7
SPANS = (7, 30)
#: A share of fewer digests says little: one bounce of ten is no tenth.
FEWEST = 200
#: (heading, the states under it); what is skipped says why in words of its own.
_COLUMNS = (
    ("Accepted", (_State.ACCEPTED,)),
    ("Unknown", (_State.UNKNOWN,)),
    ("Rejected", (_State.REJECTED,)),
    ("Skipped", Delivery.SKIPPED),
    ("Expired", (_State.EXPIRED,)),
    ("Cancelled", (_State.CANCELLED,)),
    ("Open", (*Delivery.WAITING, _State.SUBMITTING)),
)
_WHY_SKIPPED = {
    _State.SKIPPED_UNSUBSCRIBED: "left",
    _State.SKIPPED_SUPPRESSED: "suppressed",
    _State.SKIPPED_PAUSED: "paused",
    _State.SKIPPED_EMPTY: "nothing for them",
}


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many accepted digests; `tone` is good, warn, bad, or plain where they are few."""

    cases: int
    of: int
    tone: str

    @property
    def told(self) -> str:
        """The share, as precise as its limits."""
        return f"{100 * self.cases / self.of:.2f} %" if self.of else "–"


def last_editions(request: HttpRequest, _at: datetime) -> dict[str, Any]:
    """Return a row for each of the last editions that had their freeze."""
    found = Edition.objects.with_candidates().select_related("figures").order_by("-day")[:EDITIONS]
    rows = [_edition_row(request, edition) for edition in found]
    return {"headings": [name for name, _states in _COLUMNS], "rows": rows, "off": _off(rows)}


def rates(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """Return bounces and complaints of the last 7 and 30 days against their limits."""
    since = editions.edition_day(at) - timedelta(days=SPANS[-1])
    kept = EditionFigures.objects.filter(edition__day__gt=since).values_list(
        "edition__day", "states", "facts"
    )
    rows = list(kept)
    found: list[dict[str, Any]] = []
    for label, fact, limit in (
        ("Complaints", "complained", COMPLAINTS),
        ("Bounces", "bounced", BOUNCES),
    ):
        shares = []
        for days in SPANS:
            first = editions.edition_day(at) - timedelta(days=days)
            within = [(states, facts) for day, states, facts in rows if day > first]
            shares.append(_share(fact, within, limit))
        url = ways.rows(request, ProviderEvent, kind__exact=fact)
        found.append({"label": label, "url": url, "shares": shares})
    heard = any(sum(facts.values()) for _day, _states, facts in rows)
    return {"rows": found, "spans": SPANS, "heard": heard, "accepted": found[0]["shares"][-1].of}


def _share(fact: str, within: Iterable[tuple[dict[str, int], dict[str, int]]], limit: Limit) -> Share:
    cases = of = 0
    for states, facts in within:
        cases += facts.get(fact, 0)
        of += states.get(_State.ACCEPTED, 0)
    return Share(cases, of, _tone(cases, of, limit))


def _tone(cases: int, of: int, limit: Limit) -> str:
    if of < FEWEST:
        return "plain"
    return "bad" if cases >= limit.share * of else "warn" if cases >= limit.warn * of else "good"


def _edition_row(request: HttpRequest, edition: Edition) -> dict[str, Any]:
    figures: EditionFigures | None = getattr(edition, "figures", None)
    row: dict[str, Any] = {
        "edition": edition,
        "url": ways.page(request, edition, "edition_report"),
        "counted": figures is not None,
        # Of an edition that enrolled nobody there is nothing to count.
        "nobody": not edition.enrolled,
    }
    if figures is None:
        return row
    return row | {
        "enrolled": figures.enrolled,
        "cells": [_cell(request, edition, figures.states, states) for _name, states in _COLUMNS],
        "exact": balance.kept(figures).exact,
        "balance": str(balance.kept(figures)),
    }


def _cell(
    request: HttpRequest, edition: Edition, counts: dict[str, int], states: tuple[_State, ...]
) -> dict[str, Any]:
    found = [state for state in states if counts.get(state)]
    many = sum(counts[state] for state in found)
    why = ", ".join(f"{counts[state]:,} {_WHY_SKIPPED[state]}" for state in found if state in _WHY_SKIPPED)
    url = ways.deliveries(request, edition, found) if many else ""
    return {"many": many, "why": why, "url": url}


def _off(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows whose account does not add up."""
    return [row for row in rows if not row.get("exact", True)]
