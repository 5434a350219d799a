"""An index of titles and abstracts that finds words and phrases in all papers at once.

Pure: numpy and scipy. Scores lie in [0, 1), so that words weigh against topics and votes on one scale.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from digest.vocabulary import Vocabulary
from digest.words import says_something, tokens

Rows = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]

#: A word in the title says as much as this many in the abstract.
TITLE = 3.0
#: Half of the full score is reached by this many mentions (of a word, of a phrase), as in BM25.
_HALF_WORD, _HALF_PHRASE = 2.4, 0.6
#: How much of what a score lacks the words standing together make up for.
_TOGETHER = 0.2
#: A paper is about a phrase when it has this share of what the phrase tells, in as many words (or all).
_LEAST_COVERED, _LEAST_WORDS = 0.5, 2
#: A reader's phrase is read up to here, in words.
_LONGEST_PHRASE = 24
_GAP = -1


@dataclass(frozen=True, slots=True)
class Matches:
    """Papers (rows, ascending) about a phrase, how much (scores in (0, 1)), and which say it literally."""

    rows: Rows
    scores: Numbers
    exact: npt.NDArray[np.bool_]


class Texts:
    """Titles and abstracts of `size` papers, each a row, cut into stems and indexed by them."""

    def __init__(self, papers: Iterable[tuple[str, str]], vocabulary: Vocabulary) -> None:
        """Index `papers`, (title, abstract) each; `vocabulary` says how rare words are."""
        self._vocabulary = vocabulary
        self._ids: dict[str, int] = {}
        stream, self._row_at, self._weight_at, self.size = self._read(papers)
        self._stream = stream
        counts = np.bincount(stream[stream != _GAP], minlength=len(self._ids))
        # Positions grouped by word: those of word w lie in _order[_starts[w]:_starts[w + 1]].
        self._order = np.argsort(stream, kind="stable")[np.count_nonzero(stream == _GAP) :]
        self._starts = np.concatenate(([0], np.cumsum(counts)))
        self._mentions = self._saturated()

    def _read(self, papers: Iterable[tuple[str, str]]) -> tuple[Any, Any, Any, int]:
        """Return the word ids with a gap around every title and abstract, and each one's row and weight."""
        stream, rows, weights, size = [_GAP], [0], [0.0], 0
        for row, texts in enumerate(papers):
            size = row + 1
            for text, weight in zip(texts, (TITLE, 1.0), strict=True):
                found = [self._ids.setdefault(word, len(self._ids)) for word in tokens(text)]
                stream += [*found, _GAP]
                rows += [row] * (len(found) + 1)
                weights += [weight] * (len(found) + 1)
        return np.array(stream, np.int32), np.array(rows, np.int32), np.array(weights), size

    def _saturated(self) -> sparse.csr_array:
        """Return words x papers: mentions m as m / (m + half), where a long abstract must say more."""
        words = self._stream != _GAP
        shape = (len(self._ids), self.size)
        counts = sparse.coo_array(
            (self._weight_at[words], (self._stream[words], self._row_at[words])), shape=shape
        ).tocsr()
        lengths = np.bincount(self._row_at[words], minlength=self.size).astype(np.float64)
        half = _HALF_WORD * (0.4 + 0.6 * lengths / max(lengths.sum() / max(self.size, 1), 1.0))
        counts.data /= counts.data + half[counts.indices]
        return counts

    def matches(self, words: str) -> Matches:
        """Return the papers about `words`, a reader's own, in any spelling authors use for them."""
        scores, exact = np.zeros(self.size), np.zeros(self.size, bool)
        for phrase in self._vocabulary.spellings(_telling_part(tokens(words)[:_LONGEST_PHRASE])):
            found, says = self._score(phrase)
            np.maximum(scores, found, out=scores)
            exact |= says
        rows = np.flatnonzero(scores)
        return Matches(rows, scores[rows], exact[rows])

    def saying(self, words: str) -> Rows:
        """Return the papers (rows, ascending) that say `words` one after another; none if there are none."""
        return np.flatnonzero(self._phrase_mentions(tuple(tokens(words)[:_LONGEST_PHRASE])))

    def _score(self, phrase: tuple[str, ...]) -> tuple[Numbers, npt.NDArray[np.bool_]]:
        """Return each paper's score for one spelling, and whether it says it."""
        telling = {word: self._vocabulary.rarity(word) for word in phrase if says_something(word)}
        # A word that every paper has weighs a little, but tells nothing.
        tells = {word: max(rarity - 1, 1e-9) for word, rarity in telling.items()}
        whole, all_told = sum(telling.values()), sum(tells.values())
        scores, covered, words = np.zeros(self.size), np.zeros(self.size), np.zeros(self.size, int)
        for word, rarity in telling.items():
            rows, values = self._mentions_of(word)
            scores[rows] += values * (rarity / whole)
            covered[rows] += tells[word] / all_told
            words[rows] += 1
        together = self._phrase_mentions(phrase)
        if len(telling) > 1:
            scores = 1 - (1 - scores) * (1 - _TOGETHER * together / (together + _HALF_PHRASE))
        scores[(covered < _LEAST_COVERED) | (words < min(_LEAST_WORDS, len(telling)))] = 0.0
        return scores, together > 0

    def _mentions_of(self, word: str) -> tuple[Rows, Numbers]:
        place = self._ids.get(word)
        if place is None:
            return np.empty(0, np.intp), np.empty(0)
        part = slice(self._mentions.indptr[place], self._mentions.indptr[place + 1])
        return self._mentions.indices[part].astype(np.intp), self._mentions.data[part].astype(np.float64)

    def _phrase_mentions(self, phrase: tuple[str, ...]) -> Numbers:
        """Return how often each paper says `phrase` word for word, a title's mention weighing TITLE."""
        ids = [self._ids.get(word, _GAP) for word in phrase]
        if not ids or _GAP in ids:
            return np.zeros(self.size)
        rarest = min(
            range(len(ids)), key=lambda place: self._starts[ids[place] + 1] - self._starts[ids[place]]
        )
        first = self._order[self._starts[ids[rarest]] : self._starts[ids[rarest] + 1]] - rarest
        for place, word in enumerate(ids):
            # The stream begins and ends with a gap, so a place beyond it, clipped, matches no word.
            first = first[self._stream[np.clip(first + place, 0, len(self._stream) - 1)] == word]
        mentions: Numbers = np.bincount(self._row_at[first], self._weight_at[first], self.size).astype(
            np.float64
        )
        return mentions


def _telling_part(stems: list[str]) -> tuple[str, ...]:
    """Return `stems` from the first to the last that says something: "papers about the art of" is "art"."""
    places = [place for place, word in enumerate(stems) if says_something(word)]
    return tuple(stems[places[0] : places[-1] + 1]) if places else ()
