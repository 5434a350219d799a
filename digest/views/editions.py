"""Editions on the web: what every reader could have got, the most talked about first."""

import re
from datetime import date

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from digest.models import Candidate, Edition
from digest.models.editions import EditionQuerySet
from digest.rendering import opening, wording
from digest.views import listing
from digest.views.public import public

DAYS_PER_PAGE = 60
_WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@public
def edition_list(request: HttpRequest) -> HttpResponse:
    """List past editions, the newest first."""
    page = Paginator(Edition.objects.published().exclude(state=Edition.State.EMPTY), DAYS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    year = timezone.now().year
    days = [
        {
            "edition": edition,
            "day": f"{edition.day:%A} {edition.day.day}",
            "month": f"{edition.day:%B}" + ("" if edition.day.year == year else f" {edition.day.year}"),
        }
        for edition in page
    ]
    return render(request, "web/editions.html", {"days": days, "page": page})


@public
def edition(request: HttpRequest, day: str) -> HttpResponse:
    """Show the papers of one day, pins first, then by trend; 404 for a day without an edition."""
    wanted = _day(day)
    found = Edition.objects.published().filter(day=wanted).first() if wanted else None
    if found is None:
        return render(request, "web/edition_missing.html", status=404)
    context = contents(found, request.GET.get("page"), level=2)
    context["later"] = _with_papers().filter(day__gt=found.day).order_by("day").first()
    return render(request, "web/edition.html", context)


def contents(edition: Edition, page_number: str | None, *, level: int) -> dict[str, object]:
    """Return what a page shows of `edition`: its day, words before the papers, and one page of them.

    Papers' titles are headings of `level`.
    """
    year = timezone.now().year
    candidates = Candidate.objects.public().filter(edition=edition).only(*listing.SIGNALS)
    ordered = [candidate.pk for candidate in listing.hottest(candidates, edition.day)]
    page = Paginator(ordered, listing.PER_PAGE).get_page(page_number)
    return {
        "edition": edition,
        "day": wording.day(edition.day, year, weekday=True),
        "note": wording.paragraphs(edition.public_note, opening.NOTE),
        "quiet": not edition.candidate_count,
        "missing": opening.missing(edition.missing_sources),
        "papers": listing.rendered(list(page), year, level=level),
        "page": page,
        "earlier": _with_papers().before(edition.day).first(),
    }


def _with_papers() -> EditionQuerySet:
    return Edition.objects.published().filter(candidate_count__gt=0)


def _day(written: str) -> date | None:
    try:
        # fromisoformat alone would give each day several addresses, such as 2026-W10-3.
        return date.fromisoformat(written) if _WRITTEN_DAY.fullmatch(written) else None
    except ValueError:
        return None
