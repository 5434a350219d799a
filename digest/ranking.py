"""Which papers each reader gets, in which order, and why.

Pure: no ORM, clock or settings. A paper's score for a reader is what they follow in it (topics by weight, own
words, authors; together the root of the sum of squares, so that the strongest leads) plus its trend. The
digest is:

1. the curator's pins of this edition, in their order, MOST_PINS at most;
2. papers the reader cares about, by score, no one subject taking it all (SPREAD);
3. if there is room: what trends, as long as somebody has shown an interest in it (LEAST_HEAT). A reader who
   follows nothing gets the trend alone, however faint.

What a reader has seen, excludes, or could have had in an earlier digest is out of it from the start. Equal
scores: the lower paper id first. The same reader gets the same picks whoever else is in the batch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from digest import reasons
from digest.pool import Corpus
from digest.reasons import Facet
from digest.texts import Rows
from digest.words import fold, name_key, says_something, tokens

#: On the scale where following a topic is 1 (2: more of it). An author is followed for every paper of theirs;
#: own words are worth more than a topic where title and abstract dwell on them, less in passing.
AUTHOR, WORDS, TREND = 3.0, 2.0, 0.5
#: The n-th paper of one subject (from 0) counts as 1 / (1 + n * SPREAD) of its score.
SPREAD = 0.35
MOST_PINS = 3
#: Attention, in votes, from which a paper may fill the digest of somebody who asked for something else.
LEAST_HEAT = 2.0
# Answers kept while a batch is ranked, since readers share many words; it bounds the memory of any batch.
_KEPT = 1024
# Several interests in one line, "gaussian splatting, NeRF", and what is none: "Example, Ada".
_LIST = re.compile(r"[,;|\n]")
_A_NAME = re.compile(r"\s*[A-Z][\w'-]*, [A-Z][\w'.-]*( [A-Z][\w'.-]*)?\s*")
_NOTHING: Rows = np.empty(0, np.intp)


@dataclass(frozen=True, slots=True)
class Pick:
    """A paper chosen for a reader, and why, in words they can check."""

    paper_id: int
    reason: str


@dataclass(frozen=True)
class Profile:
    """What a reader asks for: topics {id: weight}, own words, authors' names, excluded words, names, topics.

    size: papers a digest; seen: ids of papers they had; since: only candidates of editions after this day, or
    None for this edition's only.
    """

    topics: Mapping[int, float]
    words: tuple[str, ...]
    authors: tuple[str, ...]
    excluded: tuple[str, ...]
    size: int
    seen: frozenset[int]
    since: date | None


class Lack(StrEnum):
    """Why a reader gets nothing."""

    EMPTY = "empty"  # no paper is left to choose from
    SEEN = "seen"  # they had all there is
    EXCLUDED = "excluded"  # they never want to see what is new to them
    UNMOVED = "unmoved"  # nothing they follow, and nothing that others care for


def rank(corpus: Corpus, profiles: Sequence[Profile]) -> list[list[Pick]]:
    """Return the picks of each profile, in the profiles' order; an empty list where there is nothing."""
    batch = _Batch(corpus)
    return [batch.choose(profile) for profile in profiles]


def look(corpus: Corpus, profile: Profile) -> tuple[list[Pick], list[tuple[Facet, Rows]]]:
    """Return the picks of one profile, as `rank` does, and each thing it follows with the rows to pick."""
    batch = _Batch(corpus)
    available = batch.available(profile)
    reach = [(facet, facet.rows[available[facet.rows]]) for facet in batch.facets(profile)]
    return batch.choose(profile), reach


def lack(corpus: Corpus, profile: Profile) -> Lack:
    """Return why `rank` picks nothing for `profile`."""
    batch = _Batch(corpus)
    if not batch.pool(profile.since).any():
        return Lack.EMPTY
    if not batch.available(replace(profile, excluded=())).any():
        return Lack.SEEN
    return Lack.UNMOVED if batch.available(profile).any() else Lack.EXCLUDED


def phrases_of(texts: Sequence[str]) -> list[str]:
    """Return the interests in a reader's own lines, each once; a line may list several."""
    return list(dict.fromkeys(phrase for text in texts for phrase in _LIST.split(text)))


def exclusions_of(texts: Sequence[str]) -> list[str]:
    """Return what a reader's own lines exclude, each once. A line may list several; "Example, Ada" is one."""
    parts = ([text] if _A_NAME.fullmatch(text) else _LIST.split(text) for text in texts)
    return list(dict.fromkeys(part for own in parts for part in own))


class _Batch:
    """Readers ranked together: what several of them ask for is looked up once."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.words = lru_cache(_KEPT)(self._words)
        self.barred = lru_cache(_KEPT)(self._barred)
        self.pool = lru_cache(_KEPT)(self._pool)

    def choose(self, profile: Profile) -> list[Pick]:
        """Return the picks of one reader."""
        available, room = self.available(profile), max(profile.size, 0)
        pins = [row for row in self.corpus.pinned if available[row]][: min(MOST_PINS, room)]
        available[pins] = False
        facets = self.facets(profile)
        care = _Care(self.corpus, facets)
        chosen = care.best(available, room - len(pins))
        available[chosen] = False
        if facets:
            available &= self.corpus.heat >= LEAST_HEAT
        filling = _trending(self.corpus, available, room - len(pins) - len(chosen))
        picks = [(row, reasons.PINNED) for row in pins]
        picks += [(row, care.reason(row)) for row in (*chosen, *filling)]
        return [Pick(int(self.corpus.paper_ids[row]), reason) for row, reason in picks]

    def available(self, profile: Profile) -> npt.NDArray[np.bool_]:
        """Return (n) which papers the reader may get."""
        rows = self.pool(profile.since).copy()
        if profile.seen and self.corpus.size:
            seen = np.fromiter(profile.seen, np.int64, len(profile.seen))
            places = np.minimum(np.searchsorted(self.corpus.paper_ids, seen), self.corpus.size - 1)
            rows[places[self.corpus.paper_ids[places] == seen]] = False
        for text in profile.excluded:
            rows[self.barred(text)] = False
        return rows

    def _pool(self, since: date | None) -> npt.NDArray[np.bool_]:
        if since is None:
            return np.equal(self.corpus.days, self.corpus.day.toordinal())
        return np.greater(self.corpus.days, since.toordinal())

    def _barred(self, text: str) -> Rows:
        """Return the papers that say `text`, are by somebody of that name, or in a topic of that name."""
        found = []
        for part in exclusions_of([text]):
            topic = self.corpus.topics_by_name.get(" ".join(fold(part).split()), -1)
            found += [
                self.corpus.texts.saying(part),
                self.corpus.authors.get(name_key(part), _NOTHING),
                self.corpus.topics.get(topic, _NOTHING),
            ]
        return np.concatenate(found)

    def facets(self, profile: Profile) -> list[Facet]:
        """Return what the reader follows, in an order of its own; words that say nothing are no interest."""
        facets = []
        for topic, weight in sorted(profile.topics.items()):
            if weight > 0:
                rows = self.corpus.topics.get(topic, _NOTHING)
                name = self.corpus.topic_names.get(topic, "")
                facets.append(Facet("topic", name, rows, np.full(len(rows), float(weight))))
        for author in dict.fromkeys(filter(None, map(name_key, profile.authors))):
            rows = self.corpus.authors.get(author, _NOTHING)
            facets.append(Facet("author", author, rows, np.full(len(rows), AUTHOR)))
        return facets + [facet for phrase in phrases_of(profile.words) if (facet := self.words(phrase))]

    def _words(self, words: str) -> Facet | None:
        if not any(map(says_something, tokens(words))):
            return None
        found = self.corpus.texts.matches(words)
        return Facet("words", words, found.rows, WORDS * found.scores, found.exact)


class _Care:
    """How much one reader cares for each paper, and what for most: (n) arrays."""

    def __init__(self, corpus: Corpus, facets: Sequence[Facet]) -> None:
        self.corpus, self.facets = corpus, facets
        self.squares = np.zeros(corpus.size)
        self.most = np.zeros(corpus.size)
        self.facet_of = np.full(corpus.size, -1)
        for place, facet in enumerate(facets):
            self.squares[facet.rows] += facet.values**2
            leads = facet.values > self.most[facet.rows]
            self.most[facet.rows[leads]] = facet.values[leads]
            self.facet_of[facet.rows[leads]] = place

    def best(self, available: npt.NDArray[np.bool_], room: int) -> list[int]:
        """Return up to `room` rows the reader cares for, the best first."""
        rows = np.flatnonzero(available & (self.most > 0))
        if room <= 0 or not len(rows):
            return []
        scores = np.sqrt(self.squares[rows]) + TREND * self.corpus.trend[rows]
        order = np.argsort(-scores, kind="stable")
        rows, scores = rows[order], scores[order]
        places = _places_within(self.facet_of[rows])
        scores = scores / (1 + SPREAD * places)
        # The best paper of each subject is in if there is room, however strong another subject is.
        chosen = np.lexsort((rows, -scores, places > 0))[:room]
        return [int(row) for row in rows[chosen[np.lexsort((rows[chosen], -scores[chosen]))]]]

    def reason(self, row: int) -> str:
        """Return what counted most for a paper, in words."""
        if self.most[row] and self.most[row] >= TREND * self.corpus.trend[row]:
            facet = self.facets[int(self.facet_of[row])]
            return facet.reason(row, self.corpus.names[row])
        new = int(self.corpus.days[row]) == self.corpus.day.toordinal()
        return reasons.of_trend(self.corpus.signals[row], new=new)


def _trending(corpus: Corpus, available: npt.NDArray[np.bool_], room: int) -> list[int]:
    """Return up to `room` available rows by trend."""
    rows = np.flatnonzero(available)
    return [int(row) for row in rows[np.argsort(-corpus.trend[rows], kind="stable")[: max(room, 0)]]]


def _places_within(groups: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return for each item how many of its group come before it: [7, 7, 3, 7] gives [0, 1, 0, 2]."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    begins = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    counted = np.arange(len(groups))
    places = np.empty(len(groups), np.intp)
    places[order] = counted - np.maximum.accumulate(np.where(begins, counted, 0))
    return places
