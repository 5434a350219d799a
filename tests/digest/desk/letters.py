"""Deliveries as fixtures: an edition under way, and what became of its digests."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F

from digest.models import Delivery, Edition
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader

WEDNESDAY = date(2026, 3, 4)
MINUTE = timedelta(minutes=1)


def a_moving_edition(**fields: Any) -> Edition:
    """Return an edition that is being sent since an hour before NOON."""
    moment = NOON - timedelta(hours=1)
    return a_frozen_edition(
        WEDNESDAY, a_paper(), **{"state": Edition.State.SENDING, "approved_at": moment, **fields}
    )


def deliveries(edition: Edition, count: int, state: str, *, at: datetime = NOON, **fields: Any) -> list[int]:
    """Make `count` deliveries in `state`, settled at `at` unless they wait; return their keys."""
    over = state not in (*Delivery.WAITING, Delivery.State.SUBMITTING)
    rows = [
        Delivery(
            edition=edition,
            subscriber=(reader := a_reader()),
            address_hash=reader.address_hash,
            **{
                "state": state,
                "local_date": edition.day,
                "not_before": NOON - timedelta(hours=1),
                "expires_at": NOON + timedelta(hours=11),
                "settled_at": at if over else None,
                **fields,
            },
        )
        for _ in range(count)
    ]
    Delivery.objects.bulk_create(rows)
    Edition.objects.filter(pk=edition.pk).update(enrolled=F("enrolled") + count)
    edition.refresh_from_db()
    return [row.pk for row in rows]
