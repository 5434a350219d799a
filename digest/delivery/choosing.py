"""Which papers for whom: readers' profiles from the tables, picks from the ranking."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Max, Min, Q

from digest import corpus
from digest.models import Candidate, Delivery, Edition
from digest.pool import Corpus
from digest.ranking import Pick, Profile, rank
from subscribers.models import Interest, Preference, Subscriber

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


@dataclass(frozen=True, slots=True)
class Desk:
    """What choosing for an edition needs, made once per edition: its pool, and how far back to remember."""

    edition: Edition
    pool: Corpus
    #: The day of the first edition that any paper of the pool was in: no earlier digest can have shown one.
    since: date

    @property
    def oldest(self) -> date:
        """The day of the oldest edition in the pool."""
        return date.fromordinal(int(self.pool.days.min())) if self.pool.size else self.edition.day

    @classmethod
    def of(cls, edition: Edition) -> "Desk":
        """Load the pool of `edition`."""
        return cls.over(edition, corpus.load(edition))

    @classmethod
    def over(cls, edition: Edition, pool: Corpus) -> "Desk":
        """Return the desk of `edition` over `pool`, which was loaded before."""
        candidacies = Candidate.objects.filter(paper_id__in=pool.paper_ids.tolist())
        first: date | None = candidacies.aggregate(first=Min("edition__day"))["first"]
        return cls(edition, pool, max(first or edition.day, edition.day - REMEMBER))

    def choose(self, readers: Sequence[Subscriber], *, at: datetime) -> list[list[Pick]]:
        """Return each reader's picks, in the readers' order."""
        return rank(self.pool, self.profiles(readers, at=at))

    def profiles(self, readers: Sequence[Subscriber], *, at: datetime) -> list[Profile]:
        """Return what each reader asks for and had before, in the readers' order."""
        keys = [reader.pk for reader in readers]
        past, wishes = _histories(self, keys, at), _wishes(keys)
        return [_profile(reader, wishes[reader.pk], past[reader.pk]) for reader in readers]


@dataclass
class Wishes:
    """What one reader asked for: {topic id: weight}, and their texts by kind."""

    topics: dict[int, float] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def _wishes(readers: Iterable[int]) -> dict[int, Wishes]:
    """Return {reader's key: wishes}; plain values, since there are many."""
    found: dict[int, Wishes] = defaultdict(Wishes)
    preferences = Preference.objects.filter(subscriber__in=readers)
    for reader, topic, weight in preferences.values_list("subscriber_id", "topic_id", "weight"):
        found[reader].topics[topic] = float(weight)
    interests = Interest.objects.filter(subscriber__in=readers).order_by("pk")
    for reader, kind, text in interests.values_list("subscriber_id", "kind", "text"):
        found[reader].texts[kind].append(text)
    return found


def _profile(reader: Subscriber, wishes: Wishes, past: History) -> Profile:
    return Profile(
        topics=wishes.topics,
        words=tuple(wishes.texts[Interest.Kind.WORDS]),
        authors=tuple(wishes.texts[Interest.Kind.AUTHOR]),
        excluded=tuple(wishes.texts[Interest.Kind.EXCLUDE]),
        size=reader.size,
        seen=frozenset(past.seen),
        since=past.since,
    )


def _histories(desk: Desk, readers: Iterable[int], at: datetime) -> dict[int, History]:
    """Return {reader's key: history before the desk's edition}.

    Seen are the picks of deliveries that were accepted, are on the wire, or may have arrived and are not
    closed yet. An unknown delivery closes when it expires, and its papers come back.
    """
    edition, past = desk.edition, defaultdict[int, History](History)
    oldest = desk.oldest
    mine = Delivery.objects.filter(subscriber__in=readers, edition__day__lt=edition.day)
    # What lies before the pool's oldest edition matters only by having been.
    before = mine.filter(edition__day__lt=oldest).order_by()
    for reader in before.values_list("subscriber_id", flat=True).distinct():
        past[reader or 0].first_enrolled = oldest
    recent = mine.filter(edition__day__gte=oldest).values("subscriber")
    for row in recent.annotate(
        first=Min("edition__day"), last=Max("edition__day", filter=Q(state=Delivery.State.ACCEPTED))
    ):
        history = past[row["subscriber"]]
        history.first_enrolled = history.first_enrolled or row["first"]
        history.last_accepted = row["last"]
    earlier = Delivery.objects.filter(subscriber__in=readers).exclude(edition=edition)
    seen = earlier.filter(
        Q(state__in=[Delivery.State.ACCEPTED, Delivery.State.SUBMITTING])
        | Q(state=Delivery.State.UNKNOWN, expires_at__gt=at),
        edition__day__gte=desk.since,
    )
    for reader, picks in seen.values_list("subscriber", "picks").iterator():
        past[reader].seen.update(paper for paper, _reason in picks)
    return past


def preview_picks(edition: Edition, reader: Subscriber, *, at: datetime) -> list[Pick]:
    """Return what `reader` would get from `edition` now."""
    return Desk.of(edition).choose([reader], at=at)[0]
