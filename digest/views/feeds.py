"""Feeds of editions, and of each topic's papers."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from digest.feeds import FORMS, NEVER, Entry, Feed
from digest.models import Candidate, Edition, Paper
from digest.rendering import fragments, wording
from digest.views import listing
from digest.views.public import public
from subscribers.models import Topic

ENTRIES = 30
#: Entries of a topic, where one edition has more papers of it than ENTRIES.
MOST = 100
#: Papers named in an edition's entry, and characters of an abstract in a paper's.
FIRST, ABSTRACT = 10, 1_500
#: Candidacies looked at for a topic's newest papers: the same paper may be in several editions.
_LOOKED_AT = 2 * MOST
# A year before every date: wording leaves none out, since what is said in a feed must stay true.
_NO_YEAR = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A paper in an edition's entry."""

    title: str
    authors: str
    link: str


@public
def of_editions(request: HttpRequest, form: str) -> HttpResponse:
    """Give the newest editions as RSS, Atom or JSON Feed: each with its first papers."""
    newest = Edition.objects.published().filter(candidate_count__gt=0).order_by("-day")[:ENTRIES]
    feed = Feed(
        key=_key("2026", "editions"),
        title=settings.LIST_NAME,
        description=f"The day’s research papers, by {settings.BYLINE} and the research community.",
        author=settings.BYLINE,
        link=_absolute("front"),
        entries=_editions(list(newest)),
    )
    return _answer(request, feed, form)


@public
def of_topic(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Give a topic's newest papers as RSS, Atom or JSON Feed; 404 for a topic that is not on offer."""
    topic = Topic.objects.filter(slug=slug, active=True).first()
    if topic is None:
        return render(request, "404.html", status=404)
    feed = Feed(
        key=_key("2026", "topic", topic.slug),
        title=f"{wording.plain(topic.name, fragments.TOPIC)}: {settings.LIST_NAME}",
        description=wording.plain(topic.description, 200),
        author=settings.BYLINE,
        link=_absolute("topic", topic.slug),
        entries=_papers(topic),
    )
    return _answer(request, feed, form)


def _answer(request: HttpRequest, feed: Feed, form: str) -> HttpResponse:
    """Return the feed, or 304 to who has it: programs ask for feeds around the clock."""
    write, media_type = FORMS[form]
    body = write(feed, f"{settings.SITE_URL}{request.path}")
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    response = HttpResponse(body, content_type=media_type)
    response["ETag"] = etag
    # No Last-Modified: hiding a paper takes it out of entries whose time does not change.
    return get_conditional_response(request, etag=etag, response=response) or response


def _editions(editions: Collection[Edition]) -> list[Entry]:
    firsts = {
        edition: first_papers(edition.pk, edition.revision, edition.candidate_count) for edition in editions
    }
    papers = _stored(key for keys in firsts.values() for key in keys)
    return [
        Entry(
            key=_key(f"{edition.day}", "edition"),
            title=wording.day(edition.day, _NO_YEAR, weekday=True),
            link=(link := _absolute("edition", f"{edition.day}")),
            html=render_to_string(
                "web/feed_edition.html",
                {"papers": [papers[key] for key in keys if key in papers], "link": link},
            ),
            at=_published(edition),
        )
        for edition, keys in firsts.items()
    ]


@lru_cache(maxsize=4 * ENTRIES)
def first_papers(edition_id: int, revision: int, count: int) -> tuple[int, ...]:  # noqa: ARG001 - part of the key
    """Return the ids of an edition's first papers, kept until a curator changes it.

    To find them takes all its candidates' figures, of thirty editions at each fetch.
    """
    edition = Edition.objects.get(pk=edition_id)
    candidates = Candidate.objects.public().filter(edition=edition).only(*listing.SIGNALS)
    return tuple(one.paper_id for one in listing.hottest(candidates, edition.day)[:FIRST])


def _stored(keys: Iterable[int]) -> Mapping[int, Line]:
    """Return {paper id: line} of those that are not withdrawn."""
    rows = Paper.objects.filter(pk__in=set(keys), withdrawn_at=None)
    return {
        key: Line(
            title=wording.plain(title, fragments.TITLE) or "Untitled",
            authors=wording.authors(authors),
            link=_absolute("paper", identity),
        )
        for key, title, authors, identity in rows.values_list("pk", "title", "authors", "identity")
    }


def _papers(topic: Topic) -> list[Entry]:
    """Return the topic's newest papers, each dated by the first edition it was in, which never changes.

    Within an edition the most voted come first; all of the newest one, up to MOST, are there.
    """
    newest = Candidate.objects.public().filter(paper__topics=topic)
    ordered = newest.order_by("-edition__day", "-upvotes", "-comments", "paper_id")
    days: dict[int, date] = {}
    for key, day in ordered.values_list("paper_id", "edition__day")[:_LOOKED_AT]:
        days.setdefault(key, day)
    of_the_newest = sum(day == max(days.values()) for day in days.values())
    keys = list(days)[: min(max(of_the_newest, ENTRIES), MOST)]
    seen = Candidate.objects.public().filter(paper__in=keys).select_related("edition")
    first = {one.paper_id: _published(one.edition) for one in seen.order_by("-edition__day")}
    papers = Paper.objects.in_bulk(keys)
    entries = [_paper(papers[key], first[key]) for key in keys if key in papers]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _paper(paper: Paper, at: datetime) -> Entry:
    return Entry(
        key=_key("2026", "paper", paper.identity),
        title=wording.plain(paper.title, fragments.TITLE) or "Untitled",
        link=_absolute("paper", paper.identity),
        html=render_to_string(
            "web/feed_paper.html",
            {"abstract": wording.plain(paper.abstract, ABSTRACT), "links": fragments.links(paper)},
        ),
        at=at,
        authors=tuple(filter(None, (wording.plain(name, 80) for name in paper.authors[:20]))),
    )


def _published(edition: Edition) -> datetime:
    """Return when the edition came out; what a curator hides later does not date it anew."""
    return edition.approved_at or edition.frozen_at or NEVER


def _absolute(name: str, *names: str) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=names)}"


def _key(day: str, *names: str) -> str:
    """Return a tag URI (RFC 4151): a name that stays when addresses change. `day`: when we were ours."""
    specific = ":".join(quote(name, safe="") for name in names)
    return f"tag:{urlsplit(settings.SITE_URL).hostname},{day}:{specific}"
