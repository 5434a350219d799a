"""Before an edition is approved: who will get it and when, whether it can go, and what it lacks."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime
from random import Random

from django.db.models import Count, Max, Min, Q

from digest import enrolling, reaching, sampling, schedule
from digest.models import Edition, EditionReach
from digest.ranking import Lack
from subscribers.models import Subscriber

State = Edition.State
#: Readers' keys looked at before a person is told who would get it; so few readers are all looked at.
KEYS, NEIGHBOURS = 2_000, 7
#: Why an edition in this state cannot be approved, and what to do.
NOT_NOW = {
    State.OPEN: "Its papers are not fixed yet. It can be approved once it is frozen.",
    State.EMPTY: "It has no papers, so there is nothing to send. Papers that come now go into the next one.",
    State.EXPIRED: "Its time is over: no reader’s hour is left. Its papers come with the next edition.",
    State.CANCELLED: "It was cancelled and stays so. Its papers come with the next edition.",
}
NO_PAPER = "Every paper of it is hidden or withdrawn, so nobody would get anything. Show one first."


@dataclass(frozen=True, slots=True)
class Hour:
    """A moment at which readers are due, in the zone of such a reader."""

    at: datetime
    zone: str

    @property
    def local(self) -> datetime:
        """The moment on the wall there."""
        return self.at.astimezone(schedule.clock(self.zone))


@dataclass(frozen=True, slots=True)
class Audience:
    """Who will get an edition. Where it is not `exact`, all of it is told from a sample."""

    readers: int
    exact: bool
    first: Hour | None
    last: Hour | None
    #: Readers whose hour has come already: theirs leave at once.
    at_once: int
    #: Readers whose hour was so long ago that they get nothing.
    too_late: int


@dataclass(frozen=True, slots=True)
class Papers:
    """How many papers an edition has, and what curators did to them."""

    shown: int
    pinned: int
    hidden: int


def audience(edition: Edition, *, at: datetime) -> Audience:
    """Return who would get `edition`, were it approved at `at`: the rules are those of enrolling."""
    sample = _sample(edition)
    hours = [
        Hour(hour[1], reader.time_zone)
        for reader in sample.readers
        if (hour := enrolling.due(edition.day, reader)) is not None
    ]
    approved = copy(edition)
    approved.approved_at = at
    late = sum(enrolling.expiry(approved, hour.at) <= at for hour in hours)
    now = sum(hour.at <= at for hour in hours) - late
    share = sample.due / len(hours) if hours else 0.0
    told = int if sample.exact else _roughly
    return Audience(
        readers=told(sample.due - late * share),
        exact=sample.exact,
        first=min(hours, key=lambda hour: hour.at, default=None),
        last=max(hours, key=lambda hour: hour.at, default=None),
        at_once=told(now * share),
        too_late=told(late * share),
    )


def _roughly(number: float) -> int:
    """Return `number` with the two figures that a sample can tell."""
    return int(round(number, min(2 - len(str(int(number))), 0)))


def _sample(edition: Edition) -> sampling.Sample:
    """Return all readers who are due, where they are few; else some, and how many there are in all.

    A person waits for this: it asks once, for a quarter of the keys that reckoning looks at.
    """
    active = Subscriber.objects.filter(status=Subscriber.Status.ACTIVE)
    if len(active.values_list("pk")[: KEYS + 1]) <= KEYS:
        return sampling.due_readers(edition.day, seed=edition.pk)
    span = active.aggregate(first=Min("pk"), last=Max("pk"))
    known = range(span["first"], span["last"] + 1)
    # Neighbours lie on one page of the table.
    starts = Random(edition.pk).sample(known[::NEIGHBOURS], KEYS // NEIGHBOURS)  # noqa: S311 - chance, no secret
    keys = [key for start_key in starts for key in range(start_key, start_key + NEIGHBOURS)]
    some = Subscriber.objects.reachable().filter(pk__in=keys).only(*sampling.FIELDS).order_by("pk")
    due = [reader for reader in some if enrolling.due(edition.day, reader) is not None]
    reach = _reach(edition)
    return sampling.Sample(due, reach.readers if reach else len(due) * len(known) // len(keys), exact=False)


def _reach(edition: Edition) -> EditionReach | None:
    """Return what was reckoned of `edition`, unless it is out of date."""
    reach = EditionReach.objects.filter(edition=edition).first()
    return None if reaching.is_stale(reach, edition) else reach


def papers(edition: Edition) -> Papers:
    """Count the papers of `edition`."""
    hidden = Q(hidden=True) | Q(paper__withdrawn_at__isnull=False)
    found = edition.candidates.aggregate(
        all=Count("pk"), pinned=Count("pk", filter=Q(pin__isnull=False)), hidden=Count("pk", filter=hidden)
    )
    return Papers(found["all"] - found["hidden"], found["pinned"], found["hidden"])


def why_not(edition: Edition) -> str:
    """Return why `edition` cannot be approved now, or nothing."""
    if edition.state in NOT_NOW:
        return NOT_NOW[State(edition.state)]
    return "" if papers(edition).shown else NO_PAPER


def nothing(edition: Edition) -> dict[str, int]:
    """Return {why: about how many readers} who are due and would get nothing, as it was last reckoned."""
    reach = _reach(edition)
    if reach is None:
        return {}
    told = {reaching.WHY[Lack(why)]: reaching.about(reach, many) for why, many in reach.nothing.items()}
    return {why: many for why, many in told.items() if many}
