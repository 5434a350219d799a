"""The pace within one worker: who of a batch may go now, and who is put off until their turn.

What is put off here was not tried: no attempt is counted, nothing is held, and nobody looks at it before its
moment. So readers of a slow mailbox provider hold up nobody else.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from digest.delivery.rows import write
from digest.delivery.sending import Prepared
from digest.models import Delivery
from subscribers.pace import Pacer
from subscribers.transport import domain_of

#: Seconds that a worker waits for all mail's rate, and within which a turn is worth holding on to.
PATIENCE = 2.0
#: Claimed deliveries, each with the seconds that it is put off for.
Waits = Sequence[tuple[Delivery, float]]
#: What a reader of a desk sees of one that waits.
PUT_OFF = "waits for its turn at its mailbox provider"


def in_turn(claimed: Sequence[Delivery], pacer: Pacer, *, at: datetime) -> list[Delivery]:
    """Return those of `claimed` whose turn it is; the others are put off until theirs.

    One that was put off before has had its turn said, and comes to take it.
    """
    fresh = [delivery for delivery in claimed if delivery.retry_at is None]
    waits = dict(zip((row.pk for row in fresh), pacer.turns([_domain(row) for row in fresh]), strict=True))
    waits |= {row.pk: pacer.resting(_domain(row)) for row in claimed if row.pk not in waits}
    put_off([(row, waits[row.pk]) for row in claimed if waits[row.pk] > PATIENCE], at=at)
    return [row for row in claimed if waits[row.pk] <= PATIENCE]


def next_group(waiting: list[Prepared], pacer: Pacer) -> tuple[list[Prepared], Waits, float]:
    """Take the next IN_FLIGHT out of `waiting`: who may go now, being counted, and who is to be put off.

    Who waits for the rate of all mail stays there. With nobody to go: the seconds until somebody may.
    """
    some = waiting[: settings.IN_FLIGHT]
    leave = pacer.leave([domain_of(item.message) for item in some])
    later = [(some[place].delivery, wait) for place, wait in leave.put_off.items()]
    gone = {*leave.go, *leave.put_off}
    waiting[: len(some)] = [item for place, item in enumerate(some) if place not in gone]
    return [some[place] for place in leave.go], later, 0.0 if leave.go else leave.wait


def put_off(waits: Waits, *, at: datetime) -> None:
    """Let claimed deliveries wait for so many seconds each, and a little more: not all come at once."""
    write(
        ("state", "retry_at", "lease_until", "detail"),
        (
            (
                delivery,
                {
                    "state": Delivery.State.DEFERRED,
                    "retry_at": at + timedelta(seconds=wait + random.uniform(0.0, 0.5)),  # noqa: S311 - spreads load
                    "lease_until": None,
                    "detail": PUT_OFF,
                },
            )
            for delivery, wait in waits
        ),
        was=[Delivery.State.CLAIMED],
    )


def _domain(delivery: Delivery) -> str:
    reader = delivery.subscriber
    return reader.address.rpartition("@")[2] if reader else ""
