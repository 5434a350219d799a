"""One paper: all that is known of it here, and where it is read."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from digest.models import Candidate, Paper
from digest.rendering import fragments, opening, wording
from digest.views import listing
from digest.views.public import public

#: Characters; what a source sends may be without end.
TITLE, ABSTRACT, SUMMARY, NAME, MOST_AUTHORS = 1_000, 20_000, 2_000, 120, 500


@public
def paper(request: HttpRequest, identity: str) -> HttpResponse:
    """Show a paper; 404 for one that is unknown, withdrawn, or public in no edition."""
    if not identity.isprintable():  # PostgreSQL refuses to look for a NUL
        return render(request, "404.html", status=404)
    seen = list(
        Candidate.objects.public()
        .filter(paper__identity=identity)
        .select_related("paper", "edition")
        .order_by("-edition__day")
    )
    if not seen:
        return render(request, "404.html", status=404)
    return render(request, "web/paper.html", _context(seen))


def _context(seen: list[Candidate]) -> dict[str, object]:
    """Return what the page shows of the paper of `seen`, its public candidacies, newest first."""
    paper, year = seen[0].paper, timezone.now().year
    facts = [
        wording.counted(paper.upvotes, "vote"),
        wording.counted(paper.comments, "comment"),
        wording.counted(paper.stars or 0, "star"),
    ]
    return {
        "title": wording.plain(paper.title, TITLE) or "Untitled",
        "authors": [wording.plain(name, NAME) for name in paper.authors[:MOST_AUTHORS]],
        "more_authors": max(0, len(paper.authors) - MOST_AUTHORS),
        "published": wording.day(paper.published_at, year) if paper.published_at else "",
        "facts": wording.facts(facts),
        "paragraphs": wording.paragraphs(paper.abstract, ABSTRACT),
        "summary": wording.plain(paper.summary, SUMMARY),
        "teaser": wording.plain(paper.abstract or paper.summary, 200),
        "topics": listing.topics_of([paper.pk]).get(paper.pk, ()),
        "picture": listing.picture(paper),
        "links": fragments.links(paper),
        "appearances": _appearances(paper, year),
        "editions": [
            (one.edition.day, wording.day(one.edition.day, year), wording.plain(one.note, fragments.NOTE))
            for one in seen
        ],
    }


def _appearances(paper: Paper, year: int) -> list[tuple[str, str]]:
    """Return (source, day) in words, the earliest first."""
    rows = paper.appearances.order_by("day", "source")
    return [(opening.NAMES.get(row.source, row.source), wording.day(row.day, year)) for row in rows]
