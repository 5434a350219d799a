"""Take a guard away from a worker, to see that the kill test turns red: it could not fail otherwise.

`python -m tests.chaos.matrix --broken NAME`. Nothing of it is known to the product.
"""

from collections.abc import Callable, Mapping
from typing import Any

from digest import enrolling
from digest.delivery import run, sending, settling
from digest.events import applying
from digest.models import Delivery, ProviderEvent
from subscribers.models import Subscriber
from tests.chaos.steps import GUARDS


def _submitting_after_the_wire() -> None:
    """Commit `submitting` together with the outcomes, once the messages have left."""

    def exchange(worker: Any, settled: Any, group: Any) -> Any:
        sending.submit([item for item, _outcome in settled], at=worker.clock())
        settling.settle(settled, at=worker.clock())
        return list(group)

    run.Worker._exchange = exchange  # type: ignore[assignment, method-assign]


def _sweep_sends_again() -> None:
    """Give what was on the wire when its worker died back to be sent."""

    def sweep(*, at: Any) -> None:
        lost = Delivery.objects.filter(state="submitting", lease_until__lt=at)
        lost.update(state="ready", lease_until=None)

    vars(settling)["sweep"] = sweep


def _mark_before_the_page() -> None:
    """Commit how far enrolment has come before the page's deliveries are written."""

    def enroll_page(edition: Any, at: Any) -> bool:
        edition.refresh_from_db()
        people = Subscriber.objects.reachable().filter(pk__gt=edition.enrolled_upto).order_by("pk")
        page = list(people[: enrolling.PAGE])
        if edition.state != "approved":
            return False
        if not page:
            enrolling._finish(edition, at)
            return False
        type(edition).objects.filter(pk=edition.pk).update(enrolled_upto=page[-1].pk)
        rows = [enrolling._delivery(edition, one) for one in page]
        enrolling._write(edition, [row for row in rows if row], at=at, allowed=["approved"])
        return True

    vars(enrolling)["_enroll_page"] = enroll_page


def _events_done_before_they_are() -> None:
    """Mark events as applied, in a transaction of their own, before they have their effects."""

    def apply(page: Any, at: Any) -> int:
        events = list(ProviderEvent.objects.filter(pk__in=page, applied_at=None).order_by("pk"))
        ProviderEvent.objects.filter(pk__in=page).update(applied_at=at)
        applying._hold_readers(page)
        rows = Delivery.objects.in_bulk({event.delivery_id for event in events if event.delivery_id})
        applying._state_facts(events, rows)
        for event in events:
            applying._have_effect(event, rows.get(event.delivery_id or 0), at)
        applying._settle_unknown({event.delivery_id for event in events}, rows, at)
        return len(events)

    vars(applying)["_apply"] = apply


_WITHOUT: Mapping[str, Callable[[], None]] = dict(
    zip(
        GUARDS,
        (_submitting_after_the_wire, _sweep_sends_again, _mark_before_the_page, _events_done_before_they_are),
        strict=True,
    )
)


def remove(name: str) -> None:
    """Take the guard `name` away in this process; none if it is empty."""
    if name:
        _WITHOUT[name]()
