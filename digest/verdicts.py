"""Mailboxes said to be dead: suppressed at once, unless a whole mail domain is said to be.

A server that has fallen over refuses everybody, and providers tell of that as they tell of dead mailboxes.
So where more than a fifth of those written to at one domain bounce within an hour, what is said of it waits.
The next digest settles it: the reader gets one, a day later. Refused again outside such a storm, or 48 hours
after the first time, the mailbox is dead; once something arrives there, it is not. An operator can settle it
before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Min, QuerySet

from digest.models import BounceVerdict, Delivery
from subscribers import lifecycle, reinstating
from subscribers.at_once import hold_readers
from subscribers.models import Suppression

log = structlog.get_logger(__name__)

#: More than this share of a domain's deliveries of a day, of at least so many, within an hour: a storm.
SHARE, LEAST = 0.2, 20
WITHIN, LEFT_WITHIN = timedelta(hours=1), timedelta(days=1)
#: A mailbox that bounces again so long after its first verdict is dead, whatever its neighbours do.
PROVEN = timedelta(hours=48)
#: A verdict that nothing has settled by then is dropped: the next bounce will tell.
GIVEN_UP = timedelta(days=30)
#: Verdicts that one press of an operator's button settles.
MOST_AT_ONCE = 2_000

State = BounceVerdict.State


@dataclass(frozen=True, slots=True)
class Told:
    """A mailbox said to be dead: its address and mail domain by hash, and the mail that bounced."""

    address_hash: str
    domain_key: str
    source: str


def hear(told: Sequence[Told], *, at: datetime) -> None:
    """Suppress the addresses of `told`, or keep what was said of them till more is known.

    Call it in the transaction of what is settled with it. What was said of one mail counts once. All are
    written before any is judged: of a storm that comes in one batch nobody is suppressed.
    """
    if not told:
        return
    known = set(_rows_of(told).values_list("source", flat=True))
    fresh = {one.source: one for one in told if one.source not in known}
    BounceVerdict.objects.bulk_create(
        [
            BounceVerdict(
                address_hash=one.address_hash,
                domain_key=one.domain_key,
                source=one.source[:80],
                state=State.WAITING,
                at=at,
            )
            for one in fresh.values()
        ],
        ignore_conflicts=True,
    )
    stormy = {key for key in {one.domain_key for one in fresh.values()} if is_storm(key, at=at)}
    held = 0
    for one in fresh.values():
        if one.domain_key in stormy and not _is_proven(one, at):
            held += 1
            continue
        _suppress(one.address_hash, one.source, at, "at once")
    if held:
        log.warning("bounces_held", held=held, domains=len(stormy))


def is_storm(domain_key: str, *, at: datetime) -> bool:
    """Say whether so many of a mail domain bounced in the last hour that its server is the likelier fault."""
    if not domain_key:
        return False
    heard = BounceVerdict.objects.filter(domain_key=domain_key, at__gt=at - WITHIN)
    bounced = heard.values("address_hash").distinct().count()
    if bounced <= SHARE * LEAST:
        return False
    left = Delivery.objects.filter(
        domain_key=domain_key, state__in=Delivery.ANSWERED, settled_at__gt=at - LEFT_WITHIN
    ).order_by()
    # So many would make it harmless: who counts them need not go on.
    many = left.values("pk")[: int(bounced / SHARE) + 1].count()
    return many >= LEAST and bounced > SHARE * many


def arrived(moments: Mapping[str, datetime], *, at: datetime) -> None:
    """Drop what was said of addresses before something arrived there: `moments` by the address's hash."""
    if not moments:
        return
    waiting = BounceVerdict.objects.filter(state=State.WAITING, address_hash__in=moments)
    for verdict in waiting:
        if verdict.at < moments[verdict.address_hash]:
            _settle([verdict.pk], State.DROPPED, "a later mail arrived", at)


def apply_waiting(domain_keys: Collection[str], *, at: datetime, why: str) -> int:
    """Suppress the addresses whose verdicts wait at these domains, MOST_AT_ONCE at most; return how many."""
    waiting = BounceVerdict.objects.filter(state=State.WAITING, domain_key__in=domain_keys).order_by("pk")
    verdicts = list(waiting[:MOST_AT_ONCE])
    for verdict in verdicts:
        with transaction.atomic():
            hold_readers([verdict.address_hash])
            _suppress(verdict.address_hash, verdict.source, at, why)
    return len(verdicts)


def drop_waiting(domain_keys: Collection[str], *, at: datetime, why: str) -> tuple[int, int]:
    """Drop what waits at these domains; return how many, and how many suppressed before were reinstated.

    The first bounces of a storm are acted on before it is seen to be one. They are of the same fault.
    """
    dropped = reinstated = 0
    for key in domain_keys:
        mine = BounceVerdict.objects.filter(domain_key=key)
        began = mine.filter(state=State.WAITING).aggregate(first=Min("at"))["first"]
        if began is None:
            continue
        with transaction.atomic():
            first = list(mine.filter(state=State.APPLIED, at__gt=began - WITHIN, at__lte=at))
            hold_readers(verdict.address_hash for verdict in first)
            for verdict in first:
                reinstated += reinstating.reinstate(verdict.address_hash, verdict.source, at=at)
                _settle([verdict.pk], State.DROPPED, why, at)
            keys = list(mine.filter(state=State.WAITING).values_list("pk", flat=True))
            dropped += _settle(keys, State.DROPPED, why, at)
    return dropped, reinstated


def give_up(*, at: datetime) -> int:
    """Drop what has waited for too long; return how many."""
    old = BounceVerdict.objects.filter(state=State.WAITING, at__lte=at - GIVEN_UP)
    return _settle(list(old.values_list("pk", flat=True)), State.DROPPED, "nothing more was heard", at)


def _rows_of(told: Sequence[Told]) -> QuerySet[BounceVerdict]:
    return BounceVerdict.objects.filter(source__in=[one.source[:80] for one in told])


def _is_proven(one: Told, at: datetime) -> bool:
    mine = BounceVerdict.objects.filter(state=State.WAITING, address_hash=one.address_hash)
    return mine.filter(at__lte=at - PROVEN).exists()


def _suppress(hashed: str, source: str, at: datetime, why: str) -> None:
    lifecycle.suppress(hashed, Suppression.Reason.BOUNCE, source, at=at)
    waiting = BounceVerdict.objects.filter(state=State.WAITING, address_hash=hashed)
    _settle(list(waiting.values_list("pk", flat=True)), State.APPLIED, why, at)


def _settle(keys: Collection[int], state: BounceVerdict.State, why: str, at: datetime) -> int:
    rows = BounceVerdict.objects.filter(pk__in=keys)
    return rows.update(state=state, settled_at=at, why=why[:100])
