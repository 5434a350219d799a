"""Which topics a paper belongs to; pure: topics and text in, topic ids out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

_TOKEN = re.compile(r"[^\W_]+|[.;:!?](?=\s)")


class TopicLike(Protocol):
    """What matching needs to know of a topic. The lists hold strings; anything else in them is ignored."""

    id: int
    categories: list[str]
    include: list[str]
    exclude: list[str]


@dataclass(frozen=True, slots=True)
class Compiled:
    """Topics made ready for many papers: phrases are found by their first word."""

    by_category: Mapping[str, frozenset[int]] = field(default_factory=dict)
    #: first word -> [(the words after it, the topic, whether they keep a paper out)]
    phrases: Mapping[str, Sequence[tuple[tuple[str, ...], int, bool]]] = field(default_factory=dict)


def compile_topics(topics: Iterable[TopicLike]) -> Compiled:
    """Return `topics` ready for `topics_for`."""
    by_category: dict[str, set[int]] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], int, bool]]] = {}
    for topic in topics:
        for category in strings(topic.categories):
            by_category.setdefault(category.strip(), set()).add(topic.id)
        for keywords, keeps_out in ((topic.include, False), (topic.exclude, True)):
            for keyword in strings(keywords):
                first, *rest = words(keyword) or [""]
                if first:
                    phrases.setdefault(first, []).append((tuple(rest), topic.id, keeps_out))
    return Compiled({name: frozenset(ids) for name, ids in by_category.items()}, phrases)


def topics_for(texts: Iterable[str], categories: Iterable[str], topics: Compiled) -> set[int]:
    """Return the ids of the topics that a paper with these texts and arXiv categories belongs to.

    A paper belongs to a topic when one of the topic's categories is among the paper's (cross-lists count:
    they are the authors' own word), or when one of its `include` phrases stands in a text. A phrase of
    `exclude` keeps the paper out, whatever else says yes. A topic with neither categories nor phrases has no
    papers.

    Phrases match whole words, whatever the case; "text-to-image" and "text to image" are one, and so are
    singular and plural. A phrase never reaches over the end of a sentence.
    """
    found = {topic for name in categories for topic in topics.by_category.get(name, ())}
    out: set[int] = set()
    for text in texts:
        tokens = words(text)
        for place, token in enumerate(tokens):
            for rest, topic, keeps_out in topics.phrases.get(token, ()):
                if (topic not in found or keeps_out) and _follows(tokens, place + 1, rest):
                    (out if keeps_out else found).add(topic)
    return found - out


def words(text: str) -> list[str]:
    """Return the words of `text` in one case and in the singular; the end of a sentence is a word too."""
    return [_singular(token) for token in _TOKEN.findall(text.casefold())]


def _singular(word: str) -> str:
    # "models" is "model" to a reader; "bias", "loss" and "gps" are themselves.
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "as")):
        return word
    return word[:-1]


def _follows(tokens: Sequence[str], place: int, rest: tuple[str, ...]) -> bool:
    return not rest or tuple(tokens[place : place + len(rest)]) == rest


def strings(values: object) -> list[str]:
    """Return what is a string of `values`."""
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
