"""Wishes to subscribe: written down by the web without a look at them, worked off by the outbox task.

That the web looks nothing up is what keeps its answer from telling anything: for every address alike it runs
the same statements. What follows from the address happens in `take_in`, where nobody waits for an answer.
(Beyond five tries for an address in an hour `admission` lets none be written: that tells of tries, never of
what is known of the address. The newest that was written counts.)
"""

from collections import defaultdict
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
    """Work off up to `limit` waiting wishes, oldest first; return how many are done with.

    A wish and what follows from it are one transaction: a worker that dies loses none and repeats none, and
    several workers share them. Of those that wait for one address only the newest is looked at. One that
    fails is tried again by the next runs, `MOST_ATTEMPTS` times in all. A database that is away raises
    OperationalError and costs no wish an attempt.
    """
    due = SignupRequest.objects.filter(at__lte=at).order_by("pk")
    for_one: dict[str, list[int]] = defaultdict(list)
    for pk, address in due.values_list("pk", "address")[:limit]:
        for_one[address].append(pk)
    return sum(_take(wishes) for wishes in for_one.values())


def _take(wishes: list[int]) -> int:
    """Work off those of `wishes`, all for one address, that no other worker holds; return how many."""
    try:
        with transaction.atomic():
            free = SignupRequest.objects.select_for_update(skip_locked=True, of=("self",))
            held = list(free.filter(pk__in=wishes).order_by("pk"))
            if held:
                _sign_up(held[-1])
                SignupRequest.objects.filter(pk__in=[request.pk for request in held]).delete()
            return len(held)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - one wish's fault must not hold up the others
        _count_failure(wishes, type(error).__name__)
        return 0


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


def _count_failure(wishes: list[int], fault: str) -> None:
    """Count an attempt; drop what has had its last. A database error's text would name the address."""
    with transaction.atomic():
        rows = SignupRequest.objects.filter(pk__in=wishes)
        rows.update(attempts=F("attempts") + 1)
        dropped, _ = rows.filter(attempts__gte=MOST_ATTEMPTS).delete()
    log.error("sign-up failed", requests=wishes[:5], fault=fault, dropped=dropped)
