"""Let digests of unknown outcome go again: by a person's hand alone, one edition at a time.

An unknown digest may have arrived, so each reader of those that go may get it twice. What goes is the same
message with the same Message-ID, and with the same bytes where nothing has changed, so that a provider who
keeps idempotency keys knows it. The last look before the wire applies as to any other.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from digest import editions
from digest.models import Delivery, Edition
from subscribers.at_once import once_more
from subscribers.models import Subscriber, Suppression

log = structlog.get_logger(__name__)

#: So many are looked at together; the rest is for the next time.
MOST = 5_000
#: Why one stays as it is, in the order in which it is asked; each is told after its number.
HELD = {
    "arrived": "arrived after all: the provider has said so since",
    "bounced": "bounced, the provider has said since",
    "complained": "were reported as spam by their readers",
    "left": "have been read: their unsubscribe link was used",
    "closed": "are closed, their hour is over: their papers come with the next digest",
    "gone": "have no reader any more, who unsubscribed or was erased",
    "suppressed": "go to an address that is on the suppression list",
    "replaced": "have a reader for whom a newer digest waits",
}


class ResendError(Exception):
    """Nothing was let go again; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would become of an edition's digests of unknown outcome: `again` go, the others are `held`."""

    again: tuple[int, ...]
    #: {why, a name in HELD: how many}
    held: Mapping[str, int]
    #: There may be more: only the first MOST were looked at.
    more: bool

    @property
    def unknown(self) -> int:
        """How many were looked at."""
        return len(self.again) + sum(self.held.values())


def outlook(edition: Edition, *, at: datetime) -> Outlook:
    """Return which digests of `edition` could go again at `at`."""
    found: list[Mapping[str, Any]] = list(_unknown(edition)[: MOST + 1])
    again, held = [], Counter[str]()
    for row in found[:MOST]:
        why = _held(row, at)
        if why:
            held[why] += 1
        else:
            again.append(row["pk"])
    return Outlook(tuple(again), held, more=len(found) > MOST)


@once_more
def resend(edition: Edition, *, expected: int, at: datetime) -> int:
    """Let the digests of unknown outcome that still may go wait for a worker again; return how many.

    Raises ResendError where they are not `expected`, the number that the person agreed to.
    """
    with transaction.atomic():
        row = editions.locked(edition)
        if row.state not in Edition.SENDABLE:
            raise ResendError(
                f"The edition of {row.day} is {row.state}: nothing of it leaves, and nothing was sent again."
            )
        again = outlook(row, at=at).again
        if len(again) != expected:
            raise ResendError(
                f"By now it is {len(again):,} digests that could go again, not {expected:,}. "
                "Nothing was sent. Have another look, then decide."
            )
        many = _let_go(again)
        Edition.objects.filter(pk=row.pk).update(resent=F("resent") + many)
    log.warning("unknown_let_go_again", day=str(edition.day), deliveries=many)
    return many


def _let_go(keys: tuple[int, ...]) -> int:
    """Give the rows back to the workers; the epoch fences an owner who comes back with their outcome."""
    mine = Delivery.objects.filter(pk__in=keys, state=Delivery.State.UNKNOWN)
    try:
        with transaction.atomic():
            return mine.update(
                state=Delivery.State.READY,
                epoch=F("epoch") + 1,
                owner="",
                settled_at=None,
                retry_at=None,
                lease_until=None,
                detail="sent again by hand",
            )
    except IntegrityError:
        raise ResendError(
            "A newer edition is reaching these readers this moment. Nothing was sent again; look once more."
        ) from None


def _unknown(edition: Edition) -> QuerySet[Delivery, Any]:
    listed = Suppression.objects.filter(address_hash=OuterRef("subscriber__address_hash"))
    newer = Delivery.objects.waiting().filter(overdue=False, subscriber=OuterRef("subscriber"))
    return (
        Delivery.objects.filter(edition=edition, state=Delivery.State.UNKNOWN)
        .annotate(suppressed=Exists(listed), replaced=Exists(newer))
        .order_by("pk")
        .values(
            "pk",
            "delivered_at",
            "bounced_at",
            "complained_at",
            "left_at",
            "expires_at",
            "subscriber__status",
            "suppressed",
            "replaced",
        )
    )


def _held(row: Mapping[str, Any], at: datetime) -> str:
    """Return why a digest of unknown outcome stays as it is: a name in HELD, or nothing."""
    looks = {
        "arrived": row["delivered_at"] is not None,
        "bounced": row["bounced_at"] is not None,
        "complained": row["complained_at"] is not None,
        "left": row["left_at"] is not None,
        "closed": row["expires_at"] <= at,
        "gone": row["subscriber__status"] != Subscriber.Status.ACTIVE,
        "suppressed": row["suppressed"],
        "replaced": row["replaced"],
    }
    return next((why for why in HELD if looks[why]), "")
