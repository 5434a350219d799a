"""What today's digest would have brought a reader: asked before signing up, and while choosing.

The same ranking over the same pool as the digests', for a new reader of five papers. It writes nothing and
knows nobody: what is asked is told with the call and forgotten after it.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import ClassVar

import numpy as np
import structlog
from django.db.models import Max

from digest import corpus, editions, ranking, reasons
from digest.models import Edition
from digest.pool import Corpus
from digest.ranking import Profile
from digest.reasons import Facet
from digest.rendering import fragments, wording
from digest.rendering.fragments import Described
from digest.vocabulary import VocabularyError
from digest.words import name_key, says_something, tokens
from subscribers.models import Topic

log = structlog.get_logger(__name__)

SIZE = 5
#: Subjects, names and exclusions looked up for one preview: five papers show no more, and forty lines,
#: written as lists, could hold thousands.
MOST_PHRASES = 20
#: Characters of a reader's own words when they are shown again.
_QUOTE = 80
_building = threading.Lock()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader follows: topics {id: weight}, own words, authors' names, what they never want to see."""

    topics: Mapping[int, float] = field(default_factory=dict)
    words: Sequence[str] = ()
    authors: Sequence[str] = ()
    excluded: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """One paper of a preview: in a reader's words, its identity, and why it is there (after “because”)."""

    paper: Described
    identity: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The papers, the best first, and what there is to say about them.

    day: the edition's, or None where there is none to look at; today: whether it is the day's own; written:
    the day in words; broken: the edition cannot be read. personal: something was asked; follows: an interest
    was among it; fitting: how many papers of the edition are of interest; missed: interests that none of
    them is about; idle: lines that name no subject. beyond: how many entries were not looked up.
    """

    papers: tuple[Shown, ...] = ()
    day: date | None = None
    today: bool = False
    written: str = ""
    broken: bool = False
    personal: bool = False
    follows: bool = False
    fitting: int = 0
    missed: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    beyond: int = 0
    #: How many entries are looked up.
    most: ClassVar[int] = MOST_PHRASES


def preview(asked: Asked | None = None, *, at: datetime) -> Preview:
    """Return the five papers of the newest published edition for somebody who asks for `asked`, at `at`.

    Five queries once the edition's pool is in memory; the first to ask builds it. Of what is asked,
    the first MOST_PHRASES entries count.
    """
    asked, beyond = _first(asked or Asked())
    edition = Edition.objects.newest()
    if edition is None:
        return Preview()
    try:
        pool = pool_of(edition)
    except VocabularyError as error:
        log.exception("preview_impossible", day=str(edition.day), error=str(error))
        return Preview(broken=True)
    return replace(_looked_up(edition, pool, asked, at), beyond=beyond)


def _first(asked: Asked) -> tuple[Asked, int]:
    """Return what of `asked` is looked up, and how many entries are not.

    What somebody never wants to see comes first: a preview must not show it.
    """
    phrases = ranking.exclusions_of(asked.excluded), ranking.phrases_of(asked.words), asked.authors
    room = MOST_PHRASES
    beyond = sum(map(len, phrases)) - room
    if beyond <= 0:
        return asked, 0
    kept = []
    for entries in phrases:
        kept.append(entries[:room])
        room -= len(kept[-1])
    excluded, words, authors = kept
    return replace(asked, words=words, authors=authors, excluded=excluded), beyond


def pool_of(edition: Edition, *, most: int = 1) -> Corpus:
    """Return the pool of `edition`, kept for this process until a curator or a topic changes it.

    `most` as in `corpus.load`: 1 is enough where `since` is None, since no other day is shown then.
    Threads that come while it is built wait for it: a pool is a second's work, and one is enough.
    Raises VocabularyError.
    """
    # Papers are matched to topics behind the edition's back; a curator's decision raises the revision.
    matched_at = Topic.objects.aggregate(newest=Max("matched_at"))["newest"]
    made_of = [(edition.pk, edition.revision, edition.candidate_count)]
    if most > 1:
        earlier = Edition.objects.with_candidates().filter(candidate_count__gt=0).before(edition.day)
        made_of += earlier.values_list("pk", "revision", "candidate_count")[: most - 1]
    with _building:
        return kept_pool(tuple(made_of), matched_at, most)


# Room for the newest published edition, and for one at the curators' desk with and without the days before.
@lru_cache(maxsize=3)
def kept_pool(made_of: tuple[tuple[int, int, int], ...], matched_at: datetime | None, most: int) -> Corpus:
    """Load the pool of an edition; all that is named here makes it another one.

    `made_of`: (key, revision, papers) of the edition and of those before it.
    """
    log.info("preview_pool", editions=made_of, matched_at=str(matched_at))
    return corpus.load(Edition.objects.get(pk=made_of[0][0]), most=most)


def _looked_up(edition: Edition, pool: Corpus, asked: Asked, at: datetime) -> Preview:
    profile = Profile(
        topics=asked.topics,
        words=tuple(asked.words),
        authors=tuple(asked.authors),
        excluded=tuple(asked.excluded),
        size=SIZE,
        seen=frozenset(),
        since=None,
    )
    picks, found = ranking.look(pool, profile)
    today = edition.day == editions.edition_day(at)
    year = editions.edition_day(at).year
    return Preview(
        papers=_shown(edition, picks, today=today, year=year),
        day=edition.day,
        today=today,
        written=wording.day(edition.day, year, weekday=True),
        personal=bool(found or asked.excluded),
        follows=bool(found),
        fitting=len(np.unique(np.concatenate([rows for _, rows in found]))) if found else 0,
        missed=tuple(_named(facet, asked) for facet, rows in found if not len(rows)),
        idle=tuple(_quoted(line) for line in asked.words if not any(map(says_something, tokens(line)))),
    )


def _shown(edition: Edition, picks: Sequence[ranking.Pick], *, today: bool, year: int) -> tuple[Shown, ...]:
    """Return the picks as they are shown; one withdrawn since the pool was built is left out."""
    entries = fragments.load(edition, [pick.paper_id for pick in picks])
    return tuple(
        Shown(
            paper=fragments.described(entry, 0, year),
            identity=entry.paper.identity,
            reason=reasons.because(_told(pick.reason, today=today)),
        )
        for pick in picks
        if (entry := entries.get(pick.paper_id)) and entry.paper.withdrawn_at is None
    )


def _told(reason: str, *, today: bool) -> str:
    return reasons.NEW_THAT_DAY if reason == reasons.NEW_TODAY and not today else reason


def _named(facet: Facet, asked: Asked) -> str:
    """Return what is followed as the reader wrote it; a facet knows an author by the name's key alone."""
    if facet.kind == "author":
        return _quoted(next((name for name in asked.authors if name_key(name) == facet.text), facet.text))
    return _quoted(facet.text) or "a topic of yours"


def _quoted(text: str) -> str:
    return wording.plain(text, _QUOTE).strip('"“”')
