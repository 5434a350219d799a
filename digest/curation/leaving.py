"""Whether an edition leaves: approved, paused, resumed, cancelled."""

from datetime import datetime

from django.db import transaction

from digest import editions
from digest.curation.deciding import CLOCK, By, Kind, refuse_conflict, write
from digest.editions import EditionError
from digest.models import Edition


def approve(edition: Edition, *, at: datetime, by: By = CLOCK, seen: int | None = None) -> Edition:
    """Let the edition go out. Approving twice is one approval.

    Raises ConflictError where anybody has decided anything about a frozen edition since revision `seen`.
    """
    with transaction.atomic():
        row = editions.locked(edition)
        before = row.state
        if before == Edition.State.FROZEN:
            refuse_conflict(row, seen, Kind.values)
        edition = editions.approve(edition, at=at)
        if before != edition.state:
            _write(edition, Kind.APPROVED, by, before)
    return edition


def pause(edition: Edition, *, reason: str = "", by: By = CLOCK) -> Edition:
    """Hold the sending: nothing more leaves but the messages in flight. `reason` is said to curators."""
    with transaction.atomic():
        edition = editions.locked(edition)
        before = edition.state
        sending = [Edition.State.APPROVED, Edition.State.SENDING]
        editions.move(
            edition, Edition.State.PAUSED, allowed=sending, paused_from=before, pause_reason=reason[:200]
        )
        _write(edition, Kind.PAUSED, by, before)
    return edition


def resume(edition: Edition, *, at: datetime, by: By = CLOCK) -> Edition:
    """Go on where `pause` stopped. What left before says nothing more against going on."""
    with transaction.atomic():
        edition = editions.locked(edition)
        before = edition.state
        if before != Edition.State.PAUSED:
            raise EditionError(f"The edition of {edition.day} is {edition.state}, not paused.")
        editions.move(
            edition,
            edition.paused_from,
            allowed=[Edition.State.PAUSED],
            paused_from="",
            pause_reason="",
            resumed_at=at,
        )
        _write(edition, Kind.RESUMED, by, before)
    return edition


def cancel(edition: Edition, *, at: datetime, by: By = CLOCK) -> Edition:
    """End an edition at once: what left has left, and its papers go to the next edition.

    Nothing more is claimed; the rows that wait are ended in pages, by `settling.end_cancelled`.
    """
    with transaction.atomic():
        edition = editions.locked(edition)
        before = edition.state
        allowed = [
            Edition.State.OPEN,
            Edition.State.FROZEN,
            Edition.State.APPROVED,
            Edition.State.SENDING,
            Edition.State.PAUSED,
        ]
        editions.move(edition, Edition.State.CANCELLED, allowed=allowed, closed_at=at)
        _write(edition, Kind.CANCELLED, by, before)
    return edition


def _write(edition: Edition, kind: Kind, by: By, before: str) -> None:
    write(edition, kind, by, before={"state": before}, after={"state": edition.state})
