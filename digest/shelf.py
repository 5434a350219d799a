"""Papers kept in memory, to be looked through for words at once. Pure, and it finds what matching finds."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.matching import TopicLike, strings, words

_NOWHERE = array("I")
#: Stands between title and abstract: no word is like it, so no phrase reaches over it.
_BETWEEN = "|"
#: Texts that are not taken to pieces anew when the shelf is: some more than a shelf has.
_TEXTS = 12_000
#: Phrases whose papers are remembered: while one is typed, the others stay as they are.
_PHRASES = 256


@dataclass(frozen=True, slots=True)
class Known:
    """A paper as matching needs it; `words` are those of its title and abstract, a blank around each."""

    key: int
    title: str
    categories: tuple[str, ...]
    words: str

    @classmethod
    def of(cls, key: int, title: str, abstract: str, categories: Iterable[str]) -> "Known":
        """Take a paper's texts to pieces."""
        return cls(key, title, tuple(categories), _pieces(title, abstract))

    def says(self, phrase: str) -> bool:
        """Return whether the phrase stands in the title or in the abstract."""
        parts = words(phrase)
        return bool(parts) and _needle(parts) in self.words


class Shelf:
    """Papers in their order, found by the words and the categories they have.

    With 10,000 papers a process is some 50 MB larger.
    """

    def __init__(self, papers: Sequence[Known]) -> None:
        self.papers = papers
        self._with_word: dict[str, array[int]] = {}
        self._of_category: dict[str, array[int]] = {}
        self._saying = lru_cache(maxsize=_PHRASES)(self._look_for)
        for place, paper in enumerate(papers):
            for word in set(paper.words.split()):
                self._with_word.setdefault(word, array("I")).append(place)
            for name in set(paper.categories):
                self._of_category.setdefault(name, array("I")).append(place)

    def belonging(self, topic: TopicLike) -> list[Known]:
        """Return the papers that `matching.topics_for` says belong to `topic`, in their order."""
        found: set[int] = set()
        for name in strings(topic.categories):
            found.update(self._of_category.get(name.strip(), _NOWHERE))
        for phrase in strings(topic.include):
            found.update(self._saying(phrase))
        for phrase in strings(topic.exclude):
            found.difference_update(self._saying(phrase))
        return [self.papers[place] for place in sorted(found)]

    def _look_for(self, phrase: str) -> Sequence[int]:
        """Return the places of the papers with `phrase`: those with its rarest word are looked into."""
        parts = words(phrase)
        rarest = min((self._with_word.get(part, _NOWHERE) for part in parts), key=len, default=_NOWHERE)
        if len(parts) < 2:
            return rarest
        needle = _needle(parts)
        return array("I", (place for place in rarest if needle in self.papers[place].words))


@lru_cache(maxsize=_TEXTS)
def _pieces(title: str, abstract: str) -> str:
    return " ".join(["", *words(title), _BETWEEN, *words(abstract), ""])


def _needle(parts: Sequence[str]) -> str:
    return f" {' '.join(parts)} "
