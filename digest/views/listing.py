"""Papers one below the other, as the front page, editions and topics show them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Protocol, TypeVar

from django.urls import reverse
from django.utils.safestring import SafeString

from digest import kept
from digest.models import Candidate, Paper, PaperTopic
from digest.pool import HALF_LIFE, WORTH
from digest.rendering import wording
from digest.rendering.fragments import MOST_TOPICS, NOTE, TITLE, TOPIC

PER_PAGE = 30
#: Characters of an abstract, where many stand on one page.
ABSTRACT = 360
_WORTH = tuple(map(float, WORTH))
#: What `hottest` needs to know of a candidate.
SIGNALS = ("pk", "pin", "upvotes", "comments", "stars", "featured_on", "paper_id")


@dataclass(frozen=True, slots=True)
class Picture:
    """A thumbnail on our own host, and its size in pixels."""

    address: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper among others in the words a visitor sees; all that web/papers.html shows of it.

    `topics` are (slug, name), `day` is that of its edition.
    """

    key: int
    identity: str
    title: str
    names: str
    count: str
    published: str
    votes: str
    signals: tuple[str, ...]
    abstract: str
    pinned: bool
    note: str
    topics: tuple[tuple[str, str], ...]
    picture: Picture | None
    day: str


def rendered(candidates: Sequence[int], year_now: int, *, level: int, by_day: bool = False) -> SafeString:
    """Return the papers of `candidates` (ids) as HTML, in that order; two queries.

    Dates leave out `year_now`; titles are headings of `level`; `by_day` puts a heading before each day.
    """
    found = Candidate.objects.select_related("paper", "edition").in_bulk(list(candidates))
    topics = topics_of({candidate.paper_id for candidate in found.values()})
    papers = [
        _shown(found[key], topics.get(found[key].paper_id, ()), year_now)
        for key in candidates
        if key in found
    ]
    return kept.rendered("web/papers.html", papers=papers, level=level, by_day=by_day)


def topics_of(papers: Collection[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    """Return {paper id: ((slug, name), ...)} of the topics that are on offer, by name."""
    rows = (
        PaperTopic.objects.filter(paper_id__in=papers, topic__active=True)
        .order_by("topic__name")
        .values_list("paper_id", "topic__slug", "topic__name")
    )
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for paper, slug, name in rows:
        found[paper].append((slug, wording.plain(name, TOPIC)))
    return {paper: tuple(topics) for paper, topics in found.items()}


class Heated(Protocol):
    """What the order of papers is made from; a candidate, or the same as plain values."""

    @property
    def pin(self) -> int | None:
        """Place among the pins."""

    @property
    def paper_id(self) -> int:
        """The paper's key."""

    @property
    def featured_on(self) -> date:
        """The day its attention fades from."""

    @property
    def upvotes(self) -> int:
        """Votes."""

    @property
    def comments(self) -> int:
        """Comments."""

    @property
    def stars(self) -> int | None:
        """Stars of its code."""


One = TypeVar("One", bound=Heated)


def hottest(candidates: Iterable[One], day: date) -> list[One]:
    """Return pins in the curator's order, then the most talked about on `day`; equals by paper id."""
    return sorted(candidates, key=lambda one: (one.pin is None, one.pin or 0, -_heat(one, day), one.paper_id))


def authors(paper: Paper) -> tuple[str, str]:
    """Return the first names, and "12 authors" where there are more than those."""
    count = len(paper.authors)
    shown = paper.authors[: 3 if count == 3 else 2]  # a third name is shorter than a count
    names = ", ".join(filter(None, map(wording.short_name, shown)))
    return names, f"{count} authors" if count > len(shown) else ""


def picture(paper: Paper) -> Picture | None:
    """Return the paper's thumbnail, if it has one."""
    if not (paper.thumbnail and paper.thumbnail_width and paper.thumbnail_height):
        return None
    address = reverse("thumbnail", args=[PurePosixPath(paper.thumbnail).stem])
    return Picture(address, paper.thumbnail_width, paper.thumbnail_height)


def _shown(candidate: Candidate, topics: Sequence[tuple[str, str]], year_now: int) -> Shown:
    paper = candidate.paper
    names, count = authors(paper)
    return Shown(
        key=paper.pk,
        identity=paper.identity,
        title=wording.plain(paper.title, TITLE) or "Untitled",
        names=names,
        count=count,
        published=wording.day(paper.published_at, year_now) if paper.published_at else "",
        votes=wording.counted(candidate.upvotes, "vote"),
        signals=tuple(
            filter(
                None,
                (
                    wording.counted(candidate.comments, "comment"),
                    wording.counted(candidate.stars or 0, "star"),
                ),
            )
        ),
        abstract=wording.plain(paper.abstract or paper.summary, ABSTRACT),
        pinned=candidate.pin is not None,
        note=wording.plain(candidate.note, NOTE),
        topics=tuple(topics[:MOST_TOPICS]),
        picture=picture(paper),
        day=wording.day(candidate.edition.day, year_now, weekday=True),
    )


def _heat(candidate: Heated, day: date) -> float:
    """Return what is left of a candidate's attention on `day`, in votes, as `digest.ranking` counts it."""
    vote, comment, star = _WORTH
    attention = candidate.upvotes * vote + candidate.comments * comment + (candidate.stars or 0) * star
    return float(attention * 0.5 ** (max(0, (day - candidate.featured_on).days) / HALF_LIFE))
