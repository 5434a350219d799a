"""The papers on the desk of an edition as plain values: ranked, searched, filtered, a page at a time.

A handful of queries whatever the number of papers: one light one over all candidates, the rest for one page.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Count
from django.http import QueryDict

from digest import editions
from digest.curation.adding import CURATOR
from digest.models import Candidate, Edition, EditionReach, Paper, PaperTopic
from digest.rendering import wording
from digest.rendering.fragments import TITLE
from digest.rendering.opening import NAMES
from digest.sources.arxiv_ids import arxiv_id
from digest.views.listing import Picture, authors, hottest, picture, topics_of
from digest.words import fold

PER_PAGE = 50
#: Pages that a page made anew shows again; more are one press away.
MOST_PAGES = 20
ABSTRACT = 1_500
LONGEST_SEARCH = 200
ONLY = {"pinned": "Pinned", "hidden": "Hidden", "noted": "With a note", "picture": "With a picture"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What of an edition's papers is asked for, as its address says; nonsense counts as nothing."""

    q: str = ""
    topic: int = 0
    source: str = ""
    only: str = ""
    pages: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> "Wish":
        """Read the wish out of an address or a form."""
        return cls(
            q=" ".join(query.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH],
            topic=_number(query.get("topic", "")),
            source=query.get("source", "")[:20],
            only=only if (only := query.get("only", "")) in ONLY else "",
            pages=min(max(_number(query.get("pages", "")), 1), MOST_PAGES),
        )

    @property
    def narrows(self) -> bool:
        """Whether papers are left out."""
        return bool(self.q or self.topic or self.source or self.only)

    @property
    def query(self) -> str:
        """The wish as the query of an address, with its question mark; empty for everything."""
        parts = {"q": self.q, "topic": self.topic, "source": self.source, "only": self.only}
        said = {name: value for name, value in parts.items() if value}
        if self.pages > 1:
            said["pages"] = self.pages
        return f"?{urlencode(said)}" if said else ""

    @property
    def more(self) -> "Wish":
        """The same with one page more."""
        return replace(self, pages=self.pages + 1)


@dataclass(frozen=True, slots=True)
class Row:
    """A paper on the desk. `reach` is how many readers would get it, None before that is reckoned."""

    key: int
    rank: int
    title: str
    url: str
    arxiv_id: str
    names: str
    count: str
    signals: tuple[str, ...]
    topics: tuple[tuple[str, str], ...]
    sources: str
    featured: str
    abstract: str
    note: str
    pin: int | None
    hidden: bool
    withdrawn: bool
    picture: Picture | None
    reach: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter, with how many papers have it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What the desk shows: `found` papers answer the wish, of `total`; `rows` are the first pages of them."""

    wish: Wish
    rows: Sequence[Row]
    found: int
    total: int
    pins: int
    hidden: int
    before: int = 0  # pages before these rows
    topics: Sequence[Choice] = field(default_factory=tuple)
    sources: Sequence[Choice] = field(default_factory=tuple)

    @property
    def pinned(self) -> list[Row]:
        """The pinned ones, in their order."""
        return [row for row in self.rows if row.pin is not None]

    @property
    def others(self) -> list[Row]:
        """The rest, by trend."""
        return [row for row in self.rows if row.pin is None]

    @property
    def left(self) -> int:
        """How many more there are."""
        return self.found - self.before * PER_PAGE - len(self.rows)


class Light(NamedTuple):
    """A candidate's order and marks, for all of an edition at once: models would take longer."""

    pk: int
    paper_id: int
    pin: int | None
    hidden: bool
    note: str
    sources: list[str]
    featured_on: date
    upvotes: int
    comments: int
    stars: int | None


def listed(edition: Edition, wish: Wish) -> Listed:
    """Return the edition's candidates that `wish` asks for: pins first, then by trend."""
    light = [Light(*values) for values in edition.candidates.values_list(*Light._fields)]
    ranked = hottest(light, edition.day)
    ranks = {one.pk: place for place, one in enumerate(ranked, start=1)}
    wanted = _wanted(edition, ranked, wish)
    shown = [one.pk for one in wanted[: wish.pages * PER_PAGE]]
    whole = Candidate.objects.select_related("paper").in_bulk(shown)
    papers = [one.paper_id for one in whole.values()]
    topics, reach = topics_of(papers), _reach(edition)
    return Listed(
        wish=wish,
        rows=[_row(edition, whole[key], ranks[key], topics, reach) for key in shown if key in whole],
        found=len(wanted),
        total=len(light),
        pins=sum(one.pin is not None for one in light),
        hidden=sum(one.hidden for one in light),
        topics=_topic_choices(edition),
        sources=_source_choices(light),
    )


def arriving(edition: Edition) -> Listed:
    """Return what an open edition would take if it froze now, as far as the first page shows it."""
    light = editions.arrivals(edition)
    ranked = hottest(light, edition.day)
    shown = ranked[:PER_PAGE]
    topics = topics_of([one.paper_id for one in shown])
    rows = [_row(edition, one, place, topics, None) for place, one in enumerate(shown, start=1)]
    return Listed(Wish(), rows, len(rows), len(light), 0, 0)


def best(edition: Edition, most: int) -> list[Row]:
    """Return the `most` papers that come first and are not hidden: what a reader of all topics would get."""
    open_yet = edition.state == Edition.State.OPEN
    found = arriving(edition) if open_yet else listed(edition, Wish())
    return [row for row in found.rows if not row.hidden and not row.withdrawn][:most]


def _wanted(edition: Edition, ranked: Iterable[Light], wish: Wish) -> list[Light]:
    within = [
        ids
        for ids in (
            _matching(edition, wish.q) if wish.q else None,
            _of_topic(edition, wish.topic) if wish.topic else None,
            _with_picture(edition) if wish.only == "picture" else None,
        )
        if ids is not None
    ]
    return [
        one
        for one in ranked
        if _marked(one, wish.only)
        and (not wish.source or wish.source in one.sources)
        and all(one.paper_id in ids for ids in within)
    ]


def _marked(one: Light, only: str) -> bool:
    marks = {"pinned": one.pin is not None, "hidden": one.hidden, "noted": bool(one.note)}
    return marks.get(only, True)


def _matching(edition: Edition, q: str) -> set[int]:
    """Return the papers with every word of `q` in title or authors, whatever the accents; or the arXiv id."""
    papers = Paper.objects.filter(candidacies__edition=edition)
    name = arxiv_id(q)
    if name is not None:
        return set(papers.filter(arxiv_id=name).values_list("pk", flat=True))
    words = fold(q).split()
    found = papers.values_list("pk", "title", "authors", "identity")
    return {
        key
        for key, title, names, identity in found
        if all(
            word in text for text in [fold(" ".join([title, *map(str, names), identity]))] for word in words
        )
    }


def _of_topic(edition: Edition, topic: int) -> set[int]:
    rows = PaperTopic.objects.filter(topic_id=topic, paper__candidacies__edition=edition)
    return set(rows.values_list("paper_id", flat=True))


def _with_picture(edition: Edition) -> set[int]:
    papers = Paper.objects.filter(candidacies__edition=edition).exclude(thumbnail="")
    return set(papers.values_list("pk", flat=True))


def _topic_choices(edition: Edition) -> list[Choice]:
    rows = (
        PaperTopic.objects.filter(paper__candidacies__edition=edition, topic__active=True)
        .values_list("topic_id", "topic__name")
        .annotate(count=Count("pk"))
        .order_by("topic__name")
    )
    return [Choice(str(key), name, count) for key, name, count in rows]


def _source_choices(candidates: Iterable[Light]) -> list[Choice]:
    counts = Counter(str(source) for one in candidates for source in one.sources)
    return [Choice(name, source_name(name), counts[name]) for name in sorted(counts)]


def source_name(source: str) -> str:
    """Return what curators call a source."""
    return "Added by hand" if source == CURATOR else NAMES.get(source, wording.plain(source, 40))


def _reach(edition: Edition) -> dict[int, int] | None:
    """Return {paper id: readers who would get it}, None before it is reckoned."""
    row = EditionReach.objects.filter(edition=edition, at__isnull=False).first()
    if row is None or not row.sample:
        return None
    return {int(key): round(count * row.readers / row.sample) for key, count in row.papers.items()}


def _row(
    edition: Edition,
    one: Candidate,
    rank: int,
    topics: Mapping[int, tuple[tuple[str, str], ...]],
    reach: Mapping[int, int] | None,
) -> Row:
    paper, year = one.paper, edition.day.year
    names, count = authors(paper)
    signals = (
        wording.counted(one.upvotes, "vote"),
        wording.counted(one.comments, "comment"),
        wording.counted(one.stars or 0, "star"),
    )
    return Row(
        key=paper.pk,
        rank=rank,
        title=wording.plain(paper.title, TITLE) or "Untitled",
        url=wording.link(paper.abstract_url),
        arxiv_id=paper.arxiv_id or "",
        names=names,
        count=count,
        signals=tuple(filter(None, signals)),
        topics=topics.get(paper.pk, ()),
        sources=", ".join(source_name(str(source)) for source in one.sources),
        featured=wording.day(one.featured_on, year),
        abstract=wording.plain(paper.abstract or paper.summary, ABSTRACT),
        note=one.note,
        pin=one.pin,
        hidden=one.hidden,
        withdrawn=paper.withdrawn_at is not None,
        picture=picture(paper),
        reach=None if reach is None else reach.get(paper.pk, 0),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
