"""Topics: what each is about, and its papers of the last 30 days."""

from datetime import timedelta

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from digest.models import Candidate, Edition
from digest.views import listing
from digest.views.public import public
from subscribers.models import Topic

WINDOW = timedelta(days=30)


@public
def topic_list(request: HttpRequest) -> HttpResponse:
    """List the topics on offer, with how many papers of the newest edition belong to each."""
    newest = Edition.objects.newest()
    today = Candidate.objects.public().filter(edition=newest)
    counts = {
        row["paper__topics"]: row["papers"]
        for row in today.order_by().values("paper__topics").annotate(papers=Count("pk"))
    }
    topics = [(topic, counts.get(topic.pk, 0)) for topic in Topic.objects.filter(active=True)]
    return render(request, "web/topics.html", {"topics": topics})


@public
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a topic's papers of the last 30 days of editions, newest or (`?by=votes`) most voted first."""
    found = Topic.objects.filter(slug=slug, active=True).first()
    if found is None:
        return render(request, "404.html", status=404)
    by_votes = request.GET.get("by") == "votes"
    page = Paginator(_papers(found, by_votes=by_votes), listing.PER_PAGE).get_page(request.GET.get("page"))
    year = timezone.now().year
    level = 2 if by_votes else 3
    papers = listing.rendered(list(page), year, level=level, by_day=not by_votes)
    context = {"topic": found, "papers": papers, "page": page, "by_votes": by_votes}
    return render(request, "web/topic.html", context)


def _papers(topic: Topic, *, by_votes: bool) -> list[int]:
    """Return candidate ids in order; a paper of several editions stands in the newest alone."""
    newest = Edition.objects.newest()
    if newest is None:
        return []
    in_time = Q(edition__day__gt=newest.day - WINDOW, edition__day__lte=newest.day)
    candidates = (
        Candidate.objects.public()
        .filter(in_time, paper__topics=topic)
        .select_related("edition")
        .only(*listing.SIGNALS, "edition__day")
        .order_by("edition__day")
    )
    once = {candidate.paper_id: candidate for candidate in candidates}.values()
    if by_votes:
        ordered = sorted(once, key=lambda one: (-one.upvotes, -one.comments, one.paper_id))
        return [one.pk for one in ordered]
    days = sorted({one.edition.day for one in once}, reverse=True)
    return [one.pk for day in days for one in listing.hottest((c for c in once if c.edition.day == day), day)]
