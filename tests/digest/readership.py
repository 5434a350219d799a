"""Candidates, pools and readers as plain values: what the ranking is tested with, no database needed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TypedDict, Unpack

from digest.pool import Corpus, Entry, lay_out
from digest.ranking import Pick, Profile, rank
from digest.vocabulary import Vocabulary, count

TODAY = date(2026, 3, 4)
YESTERDAY = TODAY - timedelta(days=1)
VISION, ROBOTS, SPEECH = 1, 2, 3
TOPICS = {VISION: "Computer vision", ROBOTS: "Robotics", SPEECH: "Speech and audio"}


class CandidateFields(TypedDict, total=False):
    """What a test may say of a candidate."""

    title: str
    abstract: str
    day: date
    featured_on: date
    authors: tuple[str, ...]
    topics: tuple[int, ...]
    upvotes: int
    comments: int
    stars: int | None
    pin: int | None


class ProfileFields(TypedDict, total=False):
    """What a test may say of a reader."""

    topics: Mapping[int, float]
    words: tuple[str, ...]
    authors: tuple[str, ...]
    excluded: tuple[str, ...]
    size: int
    seen: frozenset[int]
    since: date | None


def a_candidate(paper_id: int, **fields: Unpack[CandidateFields]) -> Entry:
    """Return a candidate of today's edition that nobody voted for."""
    day = fields.get("day", TODAY)
    return replace(Entry(paper_id, day, day, title="A quiet paper", abstract=""), **fields)


def a_pool(
    *candidates: Entry, vocabulary: Vocabulary | None = None, topics: Mapping[int, str] = TOPICS
) -> Corpus:
    """Return the pool of today's edition; words are as rare as these candidates make them."""
    known = vocabulary or count((candidate.title, candidate.abstract) for candidate in candidates)
    return lay_out(candidates, TODAY, known, topics)


def a_profile(**fields: Unpack[ProfileFields]) -> Profile:
    """Return a new reader of ten papers who follows nothing yet."""
    return replace(Profile({}, (), (), (), size=10, seen=frozenset(), since=None), **fields)


def picks_of(pool: Corpus, **fields: Unpack[ProfileFields]) -> list[Pick]:
    """Return what one reader gets."""
    return rank(pool, [a_profile(**fields)])[0]


def ids_of(pool: Corpus, **fields: Unpack[ProfileFields]) -> list[int]:
    """Return the papers one reader gets, in order."""
    return [pick.paper_id for pick in picks_of(pool, **fields)]


def reasons_of(pool: Corpus, **fields: Unpack[ProfileFields]) -> dict[int, str]:
    """Return why, by paper."""
    return {pick.paper_id: pick.reason for pick in picks_of(pool, **fields)}
