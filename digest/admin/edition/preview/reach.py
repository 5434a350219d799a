"""What changes for whom: how many readers get each pinned paper, how many get nothing and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from digest import reaching
from digest.admin.edition.pages import context, of_an_edition
from digest.models import Candidate, Edition, EditionReach
from digest.ranking import Lack

#: Papers listed by name of those that reach nobody, and of those that reach most.
_MOST_NAMED = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A paper: how many readers get it, how many would without pins; `percent` of all who are due."""

    title: str
    place: int | None
    readers: int
    anyway: int
    percent: int

    @property
    def told(self) -> tuple[str, str, str]:
        """Return who gets it, who would without pins, and the difference, as they are read."""
        return f"{self.readers:,}", f"{self.anyway:,}", f"{self.readers - self.anyway:+,}"


@of_an_edition("digest.view_edition")
@require_safe
def page(request: HttpRequest, edition: Edition) -> HttpResponse:
    """Show the figures, with their age; asked by htmx, those alone."""
    reach = EditionReach.objects.filter(edition=edition).exclude(at=None).first()
    stale = reaching.is_stale(reach, edition)
    more = {
        "reach": reach,
        "stale": stale,
        "followed": reaching.will_be_reckoned(edition),
        "refresh": 3 if stale else 20,
        "figures": _figures(edition, reach) if reach else None,
    }
    if request.headers.get("HX-Request") == "true":
        return render(request, "admin/edition/reach_figures.html", {"edition": edition, **more})
    return render(
        request, "admin/edition/reach.html", context(request, edition, "admin:edition_preview", **more)
    )


def _figures(edition: Edition, reach: EditionReach) -> Mapping[str, object]:
    candidates = Candidate.objects.filter(edition=edition, hidden=False, paper__withdrawn_at=None)
    papers = candidates.order_by("pin", "-upvotes", "paper_id").values_list("paper_id", "paper__title", "pin")
    rows = [_row(reach, *paper) for paper in papers]
    unread = [row for row in rows if not row.readers]
    return {
        "pinned": [row for row in rows if row.place],
        "papers": sorted(rows, key=lambda row: -row.readers)[:_MOST_NAMED],
        "unread": len(unread),
        "unread_titles": [row.title for row in unread[:_MOST_NAMED]],
        "of": len(rows),
        "nothing": f"{reaching.about(reach, sum(reach.nothing.values())):,}",
        "why": [
            (f"{reaching.about(reach, reach.nothing[lack.value]):,}", reaching.WHY[lack])
            for lack in Lack
            if reach.nothing.get(lack.value)
        ],
        "estimated": reach.readers > reach.sample,
        "readers": f"{reaching.about(reach, reach.sample):,}",
        "sample": f"{reach.sample:,}",
    }


def _row(reach: EditionReach, paper_id: int, title: str, pin: int | None) -> Row:
    got, anyway = (int(counts.get(str(paper_id), 0)) for counts in (reach.papers, reach.unpinned))
    return Row(
        title=title,
        place=pin,
        readers=reaching.about(reach, got),
        anyway=reaching.about(reach, anyway),
        percent=round(100 * got / reach.sample) if reach.sample else 0,
    )
