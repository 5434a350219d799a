"""What a topic's new definition would match among the papers of 30 days, before it is saved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from digest.figures import LATELY
from digest.models import Paper
from digest.rendering import wording
from digest.shelf import Known, Shelf

#: Papers looked at, the newest; more are said to be left out.
MOST = 10_000
#: Papers named.
SHOWN = 20


@dataclass(slots=True)
class Definition:
    """What makes a paper belong to a topic."""

    categories: list[str] = field(default_factory=list)
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    id: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """A paper and why it belongs, or does not any more."""

    key: int
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Tried:
    """How many papers of `looked_at` would belong, which are new to the topic, and which it would lose."""

    looked_at: int
    bounded: bool
    count: int
    matched: Sequence[Named]
    gained: int
    gains: Sequence[Named]
    lost: int
    losses: Sequence[Named]


def tried(given: Definition, saved: Definition | None, *, at: datetime) -> Tried:
    """Return what `given` would match at `at`, beside what `saved` does."""
    shelf = _lately(at)
    now, then = shelf.belonging(given), shelf.belonging(saved) if saved else []
    had, has = {paper.key for paper in then}, {paper.key for paper in now}
    gains = [paper for paper in now if paper.key not in had] if saved else []
    losses = [paper for paper in then if paper.key not in has]
    return Tried(
        looked_at=len(shelf.papers),
        bounded=len(shelf.papers) == MOST,
        count=len(now),
        matched=_named(now, given),
        gained=len(gains),
        gains=_named(gains, given),
        lost=len(losses),
        losses=[Named(one.key, _title(one), _loss(one, given)) for one in losses[:SHOWN]],
    )


def _lately(at: datetime) -> Shelf:
    """Return the papers of the 30 days before `at`, the newest first, kept until a newer one comes."""
    newest = Paper.objects.order_by("-pk").values_list("pk", flat=True).first()
    return _loaded(newest, at.replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=1)
def _loaded(_newest: int | None, hour: datetime) -> Shelf:
    rows = Paper.objects.filter(stored_at__gt=hour - LATELY, withdrawn_at=None).order_by("-stored_at", "-pk")
    fields = rows.values_list("pk", "title", "abstract", "categories")[:MOST]
    return Shelf([Known.of(*row) for row in fields.iterator(chunk_size=2_000)])


def _named(papers: Sequence[Known], topic: Definition) -> list[Named]:
    return [Named(one.key, _title(one), _why(one, topic)) for one in papers[:SHOWN]]


def _title(paper: Known) -> str:
    return wording.plain(paper.title, 200) or "Untitled"


def _why(paper: Known, topic: Definition) -> str:
    """Return the category or phrase that makes `paper` belong."""
    category = next((name for name in topic.categories if name in paper.categories), "")
    return category or _phrase(paper, topic.include)


def _loss(paper: Known, topic: Definition) -> str:
    """Return why `paper` would belong no longer."""
    if kept_out := _phrase(paper, topic.exclude):
        return f"kept out by {kept_out}"
    return "nothing names it any more"


def _phrase(paper: Known, phrases: Sequence[str]) -> str:
    """Return the first of `phrases` that stands in `paper`, in quotation marks."""
    return next((f"“{phrase}”" for phrase in phrases if paper.says(phrase)), "")
