"""What an edition would bring whom: reckoned from a sample of readers, for each revision, beforehand.

Which editions are to be reckoned is read from their rows: any whose revision moved since the last time, once
it has been quiet for a moment. A worker holds an edition by a lease while it reckons.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from django.db.models import F, Max, Q, QuerySet

from digest import ranking, sampling
from digest.delivery.choosing import Desk
from digest.models import Edition, EditionReach
from digest.ranking import Lack, Profile, rank
from subscribers import leasing
from subscribers.models import Subscriber, Topic

log = structlog.get_logger(__name__)

#: Readers ranked at a time; what several of a batch ask for is looked up once.
BATCH = 500
#: An edition is reckoned again no sooner than this after the last time: one decision follows another.
QUIET = timedelta(seconds=15)
LEASE = timedelta(minutes=3)
#: An edition that left before anybody could look is reckoned all the same, within this time.
LATE = timedelta(days=2)
#: States in which readers may still get it.
AHEAD = (Edition.State.FROZEN, Edition.State.APPROVED, Edition.State.SENDING, Edition.State.PAUSED)
#: Why readers would get nothing, in words that follow their number.
WHY = {
    Lack.EMPTY: "because the edition has no paper to give: all are hidden or withdrawn",
    Lack.SEEN: "because nothing is new to them since their last digest",
    Lack.EXCLUDED: "because they exclude all that is new to them",
    Lack.UNMOVED: "because nothing is about what they follow, and nothing else has been noticed by others",
}


@dataclass
class _Tally:
    """How many readers get each paper, how many would without pins, and how many get nothing and why."""

    papers: Counter[int] = field(default_factory=Counter)
    unpinned: Counter[int] = field(default_factory=Counter)
    nothing: Counter[str] = field(default_factory=Counter)


def reckon_due(*, at: datetime) -> bool:
    """Reckon the newest edition whose reach is out of date at `at`; say whether there was one."""
    edition = _out_of_date(at).order_by("-day").first()
    if edition is None or not _hold(edition, at):
        return False
    reckon(edition, at=at)
    return True


def reckon(edition: Edition, *, at: datetime) -> EditionReach:
    """Reckon who would get what of `edition` as curators left it, store that and return it."""
    sample = sampling.due_readers(edition.day, seed=edition.pk)
    tally = _tally(Desk.of(edition), sample.readers, at)
    EditionReach.objects.get_or_create(edition=edition)
    # Not over a newer one: a worker whose lease lapsed may come late.
    EditionReach.objects.filter(edition=edition, revision__lte=edition.revision).update(
        revision=edition.revision,
        readers=sample.due,
        sample=len(sample.readers),
        papers={str(paper): count for paper, count in tally.papers.items()},
        unpinned={str(paper): count for paper, count in tally.unpinned.items()},
        nothing=dict(tally.nothing),
        at=at,
        lease_until=None,
    )
    log.info("reach_reckoned", day=str(edition.day), revision=edition.revision, sample=len(sample.readers))
    return EditionReach.objects.get(edition=edition)


def about(reach: EditionReach, count: int) -> int:
    """Return how many of all readers `count` of the sample stand for, rounded to what a sample can tell."""
    if not reach.sample:
        return 0
    if reach.readers <= reach.sample:
        return count
    number = count * reach.readers / reach.sample
    digits = 2 - len(str(int(number)))  # two figures that count
    return int(round(number, min(digits, 0)))


def is_stale(reach: EditionReach | None, edition: Edition) -> bool:
    """Say whether `reach` (of `edition`) does not tell of what curators decided last."""
    return reach is None or reach.at is None or reach.revision != edition.revision


def will_be_reckoned(edition: Edition) -> bool:
    """Say whether the reach of `edition` follows what curators decide."""
    return edition.state in AHEAD


def _out_of_date(at: datetime) -> QuerySet[Edition]:
    matched_at = Topic.objects.aggregate(newest=Max("matched_at"))["newest"]
    never = Q(reach=None) | Q(reach__at=None)
    moved = ~Q(reach__revision=F("revision"))
    if matched_at is not None:
        moved |= Q(reach__at__lt=matched_at)  # papers belong to other topics now
    ahead = Q(state__in=AHEAD) & (never | (moved & ~Q(reach__at__gt=at - QUIET, reach__at__lte=at)))
    late = Q(state=Edition.State.SENT, closed_at__gt=at - LATE) & never
    held = Q(reach__lease_until__gt=at, reach__lease_until__lte=leasing.no_lease_after(at, LEASE))
    return Edition.objects.filter(ahead | late).exclude(held)


def _hold(edition: Edition, at: datetime) -> bool:
    """Take the lease on the edition's reach; say whether nobody else has it."""
    EditionReach.objects.get_or_create(edition=edition)
    free = Q(lease_until=None) | leasing.lapsed(at, LEASE)
    held = EditionReach.objects.filter(free, edition=edition).update(lease_until=at + LEASE)
    return held == 1


def _tally(desk: Desk, readers: list[Subscriber], at: datetime) -> _Tally:
    bare = replace(desk.pool, pinned=())
    tally = _Tally()
    for profiles in _profiles(desk, readers, at):
        picked = rank(desk.pool, profiles)
        plain = rank(bare, profiles) if desk.pool.pinned else picked
        tally.papers.update(pick.paper_id for picks in picked for pick in picks)
        tally.unpinned.update(pick.paper_id for picks in plain for pick in picks)
        tally.nothing.update(
            ranking.lack(desk.pool, profile).value
            for profile, picks in zip(profiles, picked, strict=True)
            if not picks
        )
    return tally


def _profiles(desk: Desk, readers: list[Subscriber], at: datetime) -> Iterator[list[Profile]]:
    for start in range(0, len(readers), BATCH):
        yield desk.profiles(readers[start : start + BATCH], at=at)
