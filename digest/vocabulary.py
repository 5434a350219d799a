"""How rare each word is among the papers of late, and which short forms their authors use.

Pure. `digest.terms` counts a vocabulary once an edition and keeps it packed.
"""

import json
import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from digest.words import LONGEST_TEXT, short_forms, tokens

#: The commonest words kept; packed they take some 4 bytes each, well below 1 MB.
MOST_WORDS = 100_000
# A short form counts when this many papers spell it out, and most of them in the same way.
_LEAST_SPELLINGS, _LEAST_SHARE = 3, 0.6
_FORMAT = 1


class VocabularyError(ValueError):
    """The packed bytes are not a vocabulary of this release."""


@dataclass(frozen=True)
class Vocabulary:
    """Of `documents` papers: counts {stem: papers that have it}, short_forms {stem: long form's stems}."""

    documents: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    short_forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def rarity(self, word: str) -> float:
        """Return a stem's smoothed inverse document frequency: 1 if every paper has it, most if none does."""
        return math.log((1 + self.documents) / (1 + self.counts.get(word, 0))) + 1

    def spellings(self, phrase: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return `phrase` (stems) and how else authors write it, with one form in it made short or long."""
        found = [phrase]
        for start in range(len(phrase)):
            for end in range(start + 1, len(phrase) + 1):
                part = phrase[start:end]
                others = (
                    self._long_forms.get(part, []) if len(part) > 1 else [self.short_forms.get(part[0], ())]
                )
                found += [(*phrase[:start], *other, *phrase[end:]) for other in others if other]
        return list(dict.fromkeys(found))

    @cached_property
    def _long_forms(self) -> Mapping[tuple[str, ...], list[tuple[str, ...]]]:
        found: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        for short, long in self.short_forms.items():
            found[long].append((short,))
        return dict(found)


def count(texts: Iterable[tuple[str, str]]) -> Vocabulary:
    """Return the vocabulary of papers given as (title, abstract); each paper counts a word once.

    Words of a single paper are left out: `rarity` takes a missing word for as rare as any.
    """
    documents = 0
    counts: Counter[str] = Counter()
    forms: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for title, abstract in texts:
        documents += 1
        counts.update(set(tokens(f"{title[:LONGEST_TEXT]} {abstract}")))
        for short, long in set(short_forms(abstract)):
            forms[" ".join(tokens(short))][tuple(tokens(long))] += 1
    common = {word: papers for word, papers in counts.most_common(MOST_WORDS) if papers > 1}
    return Vocabulary(documents, common, dict(sorted(_settled(forms))))


def _settled(forms: Mapping[str, Counter[tuple[str, ...]]]) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Yield the short forms that mean one thing; "RAG" may, "AR" does not."""
    for short, longs in forms.items():
        long, papers = min(longs.items(), key=lambda item: (-item[1], item[0]))
        one_word = " " not in short and short not in long
        if one_word and papers >= _LEAST_SPELLINGS and papers >= _LEAST_SHARE * longs.total():
            yield short, long


def pack(vocabulary: Vocabulary) -> bytes:
    """Return `vocabulary` as bytes for storage: JSON in zlib, which can hold nothing that runs."""
    words = sorted(vocabulary.counts)
    whole = {
        "format": _FORMAT,
        "documents": vocabulary.documents,
        "words": " ".join(words),
        "counts": [vocabulary.counts[word] for word in words],
        "short_forms": {short: " ".join(long) for short, long in vocabulary.short_forms.items()},
    }
    return zlib.compress(json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode(), 6)


@lru_cache(maxsize=4)
def unpack(packed: bytes) -> Vocabulary:
    """Return the vocabulary that `pack` packed; kept for the process, since its key is what it says.

    Raises VocabularyError when `packed` is broken or of another release.
    """
    try:
        whole = json.loads(zlib.decompress(packed))
        if whole["format"] != _FORMAT:
            raise VocabularyError(f"Packed as format {whole['format']}, read as format {_FORMAT}.")
        counts = dict(zip(whole["words"].split(), whole["counts"], strict=True))
        forms = {short: tuple(long.split()) for short, long in whole["short_forms"].items()}
        return Vocabulary(int(whole["documents"]), counts, forms)
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, VocabularyError):
            raise
        raise VocabularyError("The packed terms are damaged.") from error
