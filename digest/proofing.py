"""Proofs of an edition: the mail that somebody gets of it, made on the delivery's own path and sent nowhere.

A proof differs from what leaves in nothing but the names in its links and its Message-ID, which are nobody's:
its links open nothing that is anybody's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.core.mail import EmailMultiAlternatives

from digest import corpus, editions, enrolling, previewing, ranking, reaching
from digest.delivery.choosing import Desk
from digest.models import Delivery, Edition
from digest.personas import Persona
from digest.pool import Corpus
from digest.ranking import Pick, Profile
from digest.rendering import EditionRenderer, NothingToSendError
from digest.vocabulary import VocabularyError
from subscribers import synthetic
from subscribers.mail import MailError
from subscribers.models import Subscriber, Suppression, Topic

#: Whose links a proof carries. As long as a reader's name and a delivery's, so that the size is true.
NOBODY, NO_DELIVERY = "nobody".ljust(22, "0"), "preview".ljust(22, "0")
#: So long ago have they who do not exist subscribed.
_SUBSCRIBED = timedelta(days=90)


class NoProofError(Exception):
    """There is no mail to show; `str()` is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What somebody asks for: topics {id: weight}, own words, authors, exclusions, papers a digest.

    `days`: how long ago their last digest was; None for somebody new.
    """

    name: str = "somebody"
    topics: Mapping[int, float] = field(default_factory=dict)
    words: Sequence[str] = ()
    authors: Sequence[str] = ()
    excluded: Sequence[str] = ()
    size: int = 10
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A mail, how many papers were picked for it and how many it has room for, and what to know of it."""

    message: EmailMultiAlternatives
    picked: int
    shown: int
    notes: Sequence[str] = ()


def of_persona(persona: Persona) -> Mix:
    """Return what `persona` asks for; topics that this installation does not have are left out."""
    known = dict(Topic.objects.filter(active=True, slug__in=persona.topics).values_list("slug", "pk"))
    return Mix(
        name=persona.slug,
        topics={known[slug]: weight for slug, weight in persona.topics.items() if slug in known},
        words=persona.words,
        authors=persona.authors,
        excluded=persona.excluded,
        size=persona.size,
        days=persona.days,
    )


def for_mix(edition: Edition, mix: Mix, *, at: datetime, to: str = "", delivery: str = NO_DELIVERY) -> Proof:
    """Return the mail of somebody who asks for `mix`, to an invented address, or to `to`.

    Raises NoProofError.
    """
    pool = _pool(edition, 1 if mix.days is None else corpus.MOST_EDITIONS)
    profile = Profile(
        topics=mix.topics,
        words=tuple(mix.words),
        authors=tuple(mix.authors),
        excluded=tuple(mix.excluded),
        size=mix.size,
        seen=frozenset(),
        since=None if mix.days is None else edition.day - timedelta(days=mix.days),
    )
    (picks,) = ranking.rank(pool, [profile])
    if not picks:
        raise NoProofError(_nothing(ranking.lack(pool, profile)))
    reader = Subscriber(
        public_id=NOBODY, address=to or f"{mix.name}@{synthetic.DOMAIN}", confirmed_at=at - _SUBSCRIBED
    )
    return _composed(edition, reader, picks, at, delivery)


def for_reader(
    edition: Edition, reader: Subscriber, *, at: datetime, to: str = "", delivery: str = NO_DELIVERY
) -> Proof:
    """Return the mail that `reader` gets of `edition`, or got; to their own address, or to `to`.

    Raises NoProofError.
    """
    theirs = Delivery.objects.filter(edition=edition, subscriber=reader).first()
    if theirs is not None and theirs.picks:
        picks = [Pick(paper, reason) for paper, reason in theirs.picks]
        moment = at if to else theirs.submitted_at or at
    else:
        picks, moment = _chosen(edition, reader, at), at
    copy = Subscriber(
        public_id=NOBODY,
        address=to or reader.address,
        confirmed_at=reader.confirmed_at,
        created_at=reader.created_at,
    )
    return _composed(edition, copy, picks, moment, delivery, _standing(edition, reader, theirs))


def marked(message: EmailMultiAlternatives) -> EmailMultiAlternatives:
    """Return `message` with a subject that says it is a test."""
    message.subject = f"[Test] {message.subject}"
    return message


def _chosen(edition: Edition, reader: Subscriber, at: datetime) -> list[Pick]:
    desk = Desk.over(edition, _pool(edition, corpus.MOST_EDITIONS))
    profiles = desk.profiles([reader], at=at)
    (picks,) = ranking.rank(desk.pool, profiles)
    if not picks:
        raise NoProofError(_nothing(ranking.lack(desk.pool, profiles[0])))
    return picks


def _pool(edition: Edition, most: int) -> Corpus:
    if edition.state == Edition.State.OPEN:
        due = editions.freeze_moment(edition.day)
        raise NoProofError(
            "Nothing is frozen yet, so there is no mail to show. The papers of this edition are fixed on "
            f"{due:%A} at {due:%H:%M} UTC, or when an operator freezes it by hand."
        )
    try:
        return previewing.pool_of(edition, most=most)
    except VocabularyError as error:
        raise NoProofError(
            "The stored words of this edition cannot be read, so nothing can be ranked. An operator can "
            "mend it: manage.py edition."
        ) from error


def _nothing(lack: ranking.Lack) -> str:
    return f"They would get no mail, {reaching.WHY[lack]}."


def _composed(
    edition: Edition,
    reader: Subscriber,
    picks: Sequence[Pick],
    at: datetime,
    delivery: str,
    notes: Sequence[str] = (),
) -> Proof:
    renderer = EditionRenderer(edition, [pick.paper_id for pick in picks])
    try:
        digest = renderer.digest(delivery, reader, picks, at)
    except (NothingToSendError, MailError) as error:
        raise NoProofError(f"No mail can be made: {error}") from error
    return Proof(digest.message, len(picks), len(digest.shown), notes)


def _standing(edition: Edition, reader: Subscriber, theirs: Delivery | None) -> list[str]:
    """Return sentences on where `reader` stands with this edition."""
    if theirs is not None and theirs.picks and theirs.submitted_at:
        left = f"{theirs.submitted_at:%-d %B at %H:%M} UTC ({theirs.get_state_display().lower()})"
        now = "with the papers it left with; notes, subject and word are as they stand now"
        return [f"This is their digest of {left}, {now}."]
    found = []
    if reader.status != Subscriber.Status.ACTIVE:
        found.append(f"They are {reader.get_status_display().lower()} and get no digest at all.")
    if Suppression.objects.filter(address_hash=reader.address_hash).exists():
        found.append("Their address is on the suppression list: nothing is sent there.")
    if theirs is not None:
        found.append(f"Their delivery of this edition: {theirs.get_state_display().lower()}.")
    elif not found and enrolling.due(edition.day, reader) is None:
        found.append(f"They are not due on that day ({_rhythm(reader, edition.day)}).")
    return found


def _rhythm(reader: Subscriber, day: date) -> str:
    if reader.paused_until is not None and reader.paused_until > day:
        return f"paused until {reader.paused_until}"
    if reader.frequency == Subscriber.Frequency.WEEKLY:
        weekday = date(2024, 1, 1 + reader.weekday)  # the first of January 2024 was a Monday
        return f"once a week, on {weekday:%A}s"
    return reader.get_frequency_display()
