"""The papers of an edition laid out as arrays, for `digest.ranking` to choose from.

Pure: no ORM, clock or settings. `digest.corpus` fills it from the database.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from digest.texts import Numbers, Rows, Texts
from digest.vocabulary import Vocabulary
from digest.words import fold, name_key

#: Attention fades to half in this many days: a weekly reader still sees Monday's best on Sunday.
HALF_LIFE = 3.0
#: What a vote, a comment and a star are worth. Stars belong to the code, often years older than the paper.
WORTH = np.array([1.0, 2.0, 0.02])
#: So much fresh attention, in votes, is a trend of 1.
FULL_HEAT = 300.0

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Entry:
    """One candidate as plain values; `day` is its newest edition's, `pin` its place among that one's pins."""

    paper_id: int
    day: date
    featured_on: date
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    topics: tuple[int, ...] = ()
    upvotes: int = 0
    comments: int = 0
    stars: int | None = None
    pin: int | None = None


@dataclass(frozen=True)
class Corpus:
    """The pool of the edition of `day`: n papers as rows, in ascending order of their ids.

    paper_ids and days (n; days: ordinals of each paper's edition); signals (n x 3: votes, comments, stars);
    heat (n; what is left of them, in votes) and trend (n; heat on a scale of 0 to 1); names (n; authors as
    written); topics and authors {topic id or `name_key`: rows}; pinned (rows in the curator's order).
    """

    day: date
    topic_names: Mapping[int, str]
    paper_ids: npt.NDArray[np.int64]
    days: npt.NDArray[np.int64]
    signals: npt.NDArray[np.int64]
    heat: Numbers
    trend: Numbers
    names: tuple[tuple[str, ...], ...]
    topics: Mapping[int, Rows]
    authors: Mapping[str, Rows]
    pinned: tuple[int, ...]
    texts: Texts

    @property
    def size(self) -> int:
        """How many papers there are."""
        return len(self.paper_ids)

    @cached_property
    def topics_by_name(self) -> Mapping[str, int]:
        """Topic ids by folded name."""
        return {fold(name): topic for topic, name in self.topic_names.items()}


def lay_out(
    entries: Iterable[Entry], day: date, vocabulary: Vocabulary, topic_names: Mapping[int, str]
) -> Corpus:
    """Return the pool of the edition of `day`: `entries` in any order, each paper once."""
    papers = sorted(entries, key=lambda entry: entry.paper_id)
    signals = np.array(
        [(paper.upvotes, paper.comments, paper.stars or 0) for paper in papers], np.int64
    ).reshape(-1, 3)
    ages = np.array([max((day - paper.featured_on).days, 0) for paper in papers], np.float64)
    heat = signals @ WORTH * 0.5 ** (ages / HALF_LIFE)
    pins = sorted(
        (paper.pin, row) for row, paper in enumerate(papers) if paper.pin is not None and paper.day == day
    )
    return Corpus(
        day=day,
        topic_names=dict(topic_names),
        paper_ids=np.array([paper.paper_id for paper in papers], np.int64),
        days=np.array([paper.day.toordinal() for paper in papers], np.int64),
        signals=signals,
        heat=heat,
        trend=np.minimum(np.log1p(heat) / np.log1p(FULL_HEAT), 1.0),
        names=tuple(paper.authors for paper in papers),
        topics=_rows_by(paper.topics for paper in papers),
        authors=_rows_by(filter(None, map(name_key, paper.authors)) for paper in papers),
        pinned=tuple(row for _, row in pins),
        texts=Texts(((paper.title, paper.abstract) for paper in papers), vocabulary),
    )


def _rows_by(keys: Iterable[Iterable[Key]]) -> dict[Key, Rows]:
    """Return the rows, ascending, that have each key."""
    found: dict[Key, list[int]] = defaultdict(list)
    for row, own in enumerate(keys):
        for key in dict.fromkeys(own):
            found[key].append(row)
    return {key: np.array(rows, np.intp) for key, rows in found.items()}
