"""Which papers for whom: readers' profiles from the tables, picks from the ranking."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Max, Min, Q, prefetch_related_objects

from digest import corpus
from digest.models import Delivery, Edition
from digest.pool import Corpus
from digest.ranking import Pick, Profile, rank
from subscribers.models import Interest, Subscriber

#: Papers picked longer ago than this may come again.
REMEMBER = timedelta(days=90)


@dataclass
class History:
    """What earlier editions brought one reader."""

    last_accepted: date | None = None
    first_enrolled: date | None = None
    seen: set[int] = field(default_factory=set)

    @property
    def since(self) -> date | None:
        """The day after which editions are new to the reader; None: a new reader, who starts with this one.

        Who was enrolled before but never got a digest starts where they were enrolled: nothing is lost.
        """
        if self.last_accepted is not None:
            return self.last_accepted
        return self.first_enrolled - timedelta(days=1) if self.first_enrolled else None


def choose(
    pool: Corpus, edition: Edition, readers: Sequence[Subscriber], *, at: datetime
) -> list[list[Pick]]:
    """Return each reader's picks from the pool of `edition`, in the readers' order."""
    return rank(pool, profiles(edition, readers, at=at))


def profiles(edition: Edition, readers: Sequence[Subscriber], *, at: datetime) -> list[Profile]:
    """Return what the ranking needs to know of each reader, in four queries for all of them."""
    prefetch_related_objects(readers, "preferences", "interests")
    past = histories(edition, [reader.pk for reader in readers], at=at)
    return [_profile(reader, past[reader.pk]) for reader in readers]


def _profile(reader: Subscriber, past: History) -> Profile:
    words: dict[str, list[str]] = defaultdict(list)
    for interest in sorted(reader.interests.all(), key=lambda interest: interest.pk):
        words[interest.kind].append(interest.text)
    return Profile(
        topics={preference.topic_id: float(preference.weight) for preference in reader.preferences.all()},
        words=tuple(words[Interest.Kind.WORDS]),
        authors=tuple(words[Interest.Kind.AUTHOR]),
        excluded=tuple(words[Interest.Kind.EXCLUDE]),
        size=reader.size,
        seen=frozenset(past.seen),
        since=past.since,
    )


def histories(edition: Edition, readers: Iterable[int], *, at: datetime) -> dict[int, History]:
    """Return {reader's key: history before `edition`}.

    Seen are the picks of deliveries that were accepted, are on the wire, or may have arrived and are not
    closed yet. An unknown delivery closes when it expires, and its papers come back.
    """
    past: dict[int, History] = defaultdict(History)
    earlier = Delivery.objects.filter(subscriber__in=readers).exclude(edition=edition)
    days = (
        earlier.filter(edition__day__lt=edition.day)
        .values("subscriber")
        .annotate(
            first=Min("edition__day"),
            last=Max("edition__day", filter=Q(state=Delivery.State.ACCEPTED)),
        )
    )
    for row in days:
        past[row["subscriber"]].first_enrolled = row["first"]
        past[row["subscriber"]].last_accepted = row["last"]
    seen = earlier.filter(
        Q(state__in=[Delivery.State.ACCEPTED, Delivery.State.SUBMITTING])
        | Q(state=Delivery.State.UNKNOWN, expires_at__gt=at),
        edition__day__gt=edition.day - REMEMBER,
    )
    for reader, picks in seen.values_list("subscriber", "picks").iterator():
        past[reader].seen.update(paper for paper, _reason in picks)
    return past


def preview_picks(edition: Edition, reader: Subscriber, *, at: datetime) -> list[Pick]:
    """Return what `reader` would get from `edition` now."""
    return choose(corpus.load(edition), edition, [reader], at=at)[0]
