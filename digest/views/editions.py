"""Editions on the web: what every reader could have got, the most talked about first."""

import re
from datetime import date

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from digest.models import Candidate, Edition
from digest.pool import HALF_LIFE, WORTH
from digest.rendering import fragments, opening, wording

PER_PAGE = 30
DAYS_PER_PAGE = 60
_ABSTRACT = 420
_WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_briefly = cache_control(public=True, max_age=300)


@require_safe
@_briefly
def edition_list(request: HttpRequest) -> HttpResponse:
    """List past editions, the newest first."""
    page = Paginator(Edition.objects.published().exclude(state=Edition.State.EMPTY), DAYS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    year = timezone.now().year
    days = [(edition, wording.day(edition.day, year, weekday=True)) for edition in page]
    return render(request, "web/editions.html", {"days": days, "page": page})


@require_safe
@_briefly
def edition(request: HttpRequest, day: str) -> HttpResponse:
    """Show the papers of one day, pins first, then by trend; 404 for a day without an edition."""
    wanted = _day(day)
    found = Edition.objects.published().filter(day=wanted).first() if wanted else None
    if found is None:
        return render(request, "web/edition_missing.html", status=404)
    year = timezone.now().year
    page = Paginator(_ranked(found), PER_PAGE).get_page(request.GET.get("page"))
    entries = fragments.load(found, list(page))
    context = {
        "edition": found,
        "day": wording.day(found.day, year, weekday=True),
        "note": wording.paragraphs(found.note, opening.NOTE),
        "missing": opening.missing(found.missing_sources),
        "papers": [fragments.described(entries[key], _ABSTRACT, year) for key in page if key in entries],
        "page": page,
        "earlier": Edition.objects.published().before(found.day).first(),
        "later": Edition.objects.published().filter(day__gt=found.day).order_by("day").first(),
    }
    return render(request, "web/edition.html", context)


def _day(written: str) -> date | None:
    try:
        # fromisoformat alone would give each day several addresses, such as 2026-W10-3.
        return date.fromisoformat(written) if _WRITTEN_DAY.fullmatch(written) else None
    except ValueError:
        return None


def _ranked(edition: Edition) -> list[int]:
    """Return the ids of the edition's papers: pins in the curator's order, then the most talked about."""
    candidates = Candidate.objects.filter(edition=edition, hidden=False, paper__withdrawn_at=None).only(
        "paper_id", "pin", "upvotes", "comments", "stars", "featured_on"
    )
    ordered = sorted(
        candidates,
        key=lambda one: (one.pin is None, one.pin or 0, -_heat(one, edition.day), one.paper_id),
    )
    return [candidate.paper_id for candidate in ordered]


def _heat(candidate: Candidate, day: date) -> float:
    """Return what is left of a candidate's attention on `day`, in votes, as `digest.ranking` counts it."""
    vote, comment, star = WORTH
    attention = candidate.upvotes * vote + candidate.comments * comment + (candidate.stars or 0) * star
    return float(attention * 0.5 ** (max(0, (day - candidate.featured_on).days) / HALF_LIFE))
