"""The papers on the desk of an edition as plain values: ranked, searched, filtered, a page at a time.

A handful of queries whatever the number of papers: one light one over all candidates, the rest for one page.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count

from digest import editions, reaching
from digest.admin.edition.wishes import Light, Wish, wanted
from digest.curation.adding import CURATOR
from digest.models import Candidate, Edition, EditionReach, PaperTopic
from digest.rendering import wording
from digest.rendering.fragments import TITLE
from digest.rendering.opening import NAMES
from digest.views.listing import Picture, authors, hottest, picture, topics_of

PER_PAGE = 50
ABSTRACT = 1_500


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
    reach_is_old: bool = False  # reckoned before the latest decisions
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


def listed(edition: Edition, wish: Wish) -> Listed:
    """Return the edition's candidates that `wish` asks for: pins first, then by trend."""
    light = [Light(*values) for values in edition.candidates.values_list(*Light._fields)]
    ranked = hottest(light, edition.day)
    ranks = {one.pk: place for place, one in enumerate(ranked, start=1)}
    found = wanted(edition, ranked, wish)
    shown = [one.pk for one in found[: wish.pages * PER_PAGE]]
    whole = Candidate.objects.select_related("paper").in_bulk(shown)
    papers = [one.paper_id for one in whole.values()]
    topics, (reach, old) = topics_of(papers), _reach(edition)
    return Listed(
        wish=wish,
        rows=[_row(edition, whole[key], ranks[key], topics, reach) for key in shown if key in whole],
        found=len(found),
        total=len(light),
        pins=sum(one.pin is not None for one in light),
        hidden=sum(one.hidden for one in light),
        reach_is_old=old,
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


def _reach(edition: Edition) -> tuple[dict[int, int] | None, bool]:
    """Return {paper id: readers who would get it}, None before that is known, and whether it is old."""
    row = EditionReach.objects.filter(edition=edition, at__isnull=False).first()
    if row is None or not row.sample:
        return None, False
    reach = {int(key): reaching.about(row, count) for key, count in row.papers.items()}
    return reach, reaching.is_stale(row, edition)


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
