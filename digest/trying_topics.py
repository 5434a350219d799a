"""What a topic's new definition would match among the papers of 30 days, before it is saved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from digest.figures import LATELY
from digest.matching import Compiled, compile_topics, topics_for, words
from digest.models import Paper
from digest.rendering import wording

#: Papers looked at, the newest; more are said to be left out.
MOST = 10_000
#: Papers named.
SHOWN = 20
_SAVED, _GIVEN = 0, 1


@dataclass(slots=True)
class Definition:
    """What makes a paper belong to a topic."""

    categories: list[str] = field(default_factory=list)
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    id: int = _GIVEN


@dataclass(frozen=True, slots=True)
class Known:
    """A paper as matching needs it; `folded` is its text in one case, to look for words in at once."""

    key: int
    title: str
    abstract: str
    categories: tuple[str, ...]
    folded: str


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
    papers = _lately(at)
    before = Definition(saved.categories, saved.include, saved.exclude, _SAVED) if saved else None
    both = compile_topics([given, before] if before else [given])
    needles = _needles(both)
    now, then = [], []
    for paper in papers:
        found = _topics(paper, both, needles)
        if _GIVEN in found:
            now.append(paper)
        if _SAVED in found:
            then.append(paper)
    had, has = {paper.key for paper in then}, {paper.key for paper in now}
    gains = [paper for paper in now if paper.key not in had] if saved else []
    losses = [paper for paper in then if paper.key not in has]
    return Tried(
        looked_at=len(papers),
        bounded=len(papers) == MOST,
        count=len(now),
        matched=_named(now, given),
        gained=len(gains),
        gains=_named(gains, given),
        lost=len(losses),
        losses=[Named(one.key, _title(one), _loss(one, given)) for one in losses[:SHOWN]],
    )


def _lately(at: datetime) -> Sequence[Known]:
    """Return the papers of the 30 days before `at`, the newest first, kept until a newer one comes."""
    newest = Paper.objects.order_by("-pk").values_list("pk", flat=True).first()
    return _loaded(newest, at.replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=1)
def _loaded(_newest: int | None, hour: datetime) -> Sequence[Known]:
    rows = Paper.objects.filter(stored_at__gt=hour - LATELY, withdrawn_at=None).order_by("-stored_at", "-pk")
    fields = rows.values_list("pk", "title", "abstract", "categories")[:MOST]
    return [
        Known(key, title, abstract, tuple(categories), f"{title}\n{abstract}".casefold())
        for key, title, abstract, categories in fields.iterator(chunk_size=2_000)
    ]


def _needles(topics: Compiled) -> frozenset[str]:
    """Return what a text must have one of, to have any of the phrases: of each, its longest word."""
    return frozenset(
        max((first, *rest), key=len)
        for first, all_of in topics.phrases.items()
        for rest, _topic, _out in all_of
    )


def _topics(paper: Known, topics: Compiled, needles: Iterable[str]) -> set[int]:
    """Return what `topics_for` would, without taking a text to pieces that has none of the words.

    A word in the singular is the beginning of its plural, so it is found in either.
    """
    if any(needle in paper.folded for needle in needles):
        return topics_for((paper.title, paper.abstract), paper.categories, topics)
    return topics_for((), paper.categories, topics)


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
    for phrase in phrases:
        parts = words(phrase)
        if parts and all(part in paper.folded for part in parts):
            one = compile_topics([Definition(include=[phrase])])
            if topics_for((paper.title, paper.abstract), (), one):
                return f"“{phrase}”"
    return ""
