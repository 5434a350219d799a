"""Wishes to subscribe: written down by the web without a look at them, worked off by the outbox task.

That the web looks nothing up is what keeps its answer from telling anything: for every address alike it runs
the same statements. What follows from the address happens in `take_in`, where nobody waits for an answer.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from subscribers import lifecycle
from subscribers.consent import Trace
from subscribers.models import SignupRequest, Topic

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What a valid form asks for: an address from `normalise`, slugs of topics, own words one entry each.

    `wording` is the primary key of the ConsentText that stood beside the button.
    """

    address: str
    topics: tuple[str, ...]
    words: tuple[str, ...]
    time_zone: str
    wording: int
    trace: Trace


def receive(wish: Wish, *, at: datetime) -> None:
    """Write `wish` down: one insert, whoever it is for."""
    SignupRequest.objects.create(
        address=wish.address,
        topics=list(wish.topics),
        words=list(wish.words),
        time_zone=wish.time_zone,
        consent_text_id=wish.wording,
        source=wish.trace.source,
        network=wish.trace.network,
        user_agent=wish.trace.user_agent,
        at=at,
    )


def waiting(most: int) -> int:
    """Return how many wishes wait, counted no further than `most`."""
    return SignupRequest.objects.order_by()[:most].count()


def take_in(*, at: datetime, limit: int = 500) -> int:
    """Work off up to `limit` waiting wishes, oldest first; return how many became something or came to
    nothing.

    A wish and what follows from it are one transaction: a worker that dies loses none and repeats none, and
    several workers share them. One that fails is tried again by the next runs, `MOST_ATTEMPTS` times in all.
    A database that is away raises OperationalError and costs no wish an attempt.
    """
    done = 0
    last = 0
    for _ in range(limit):
        try:
            pk = _take_next(last, at)
        except _Poisoned as poisoned:
            last = poisoned.pk
            _count_failure(poisoned)
            continue
        if pk is None:
            break
        last, done = pk, done + 1
    return done


class _Poisoned(Exception):  # noqa: N818 - tells of a row, not of a fault of ours
    """The wish with this primary key could not be worked off."""

    def __init__(self, pk: int, fault: Exception) -> None:
        super().__init__(pk)
        self.pk = pk
        self.fault = type(fault).__name__


def _take_next(last: int, at: datetime) -> int | None:
    """Work off the first free wish after primary key `last`; return its key, or None where none is left."""
    with transaction.atomic():
        free = SignupRequest.objects.select_for_update(skip_locked=True, of=("self",))
        request = free.filter(pk__gt=last, at__lte=at).order_by("pk").first()
        if request is None:
            return None
        try:
            _sign_up(request)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            raise _Poisoned(request.pk, error) from error
        pk = request.pk
        request.delete()
        return pk


def _sign_up(request: SignupRequest) -> None:
    lifecycle.sign_up(
        request.address,
        Topic.objects.filter(active=True, slug__in=request.topics),
        request.words,
        at=request.at,
        trace=Trace(source=request.source, network=request.network, user_agent=request.user_agent),
        time_zone=request.time_zone,
        text=request.consent_text,
    )


def _count_failure(poisoned: _Poisoned) -> None:
    """Count the failure; drop the wish after the last. The line names no address, and no database error's
    text, which would."""
    with transaction.atomic():
        row = SignupRequest.objects.filter(pk=poisoned.pk)
        row.update(attempts=F("attempts") + 1)
        dropped, _ = row.filter(attempts__gte=MOST_ATTEMPTS).delete()
    log.error("sign-up failed", request=poisoned.pk, fault=poisoned.fault, dropped=bool(dropped))
