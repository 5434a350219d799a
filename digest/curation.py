"""Curators' decisions: what is pinned, hidden and noted, and what goes out. Their sole writer."""

from collections.abc import Container
from datetime import datetime

from django.db import transaction
from django.db.models import F

from digest import editions
from digest.delivery import settling
from digest.editions import EditionError
from digest.models import Candidate, Edition, Paper

#: Pins an edition may have; each reader gets the first three they do not exclude.
MOST_PINS = 9
LONGEST_NOTE = 280
SHAPEABLE = (Edition.State.FROZEN, Edition.State.PAUSED)
HIDEABLE = (*SHAPEABLE, Edition.State.SENT, Edition.State.CANCELLED, Edition.State.EXPIRED)


class CurationError(Exception):
    """A decision that cannot be taken; the text says why and what to do."""


def _candidate(edition: Edition, paper: Paper, *, states: Container[str] = SHAPEABLE) -> Candidate:
    """Return the paper's locked candidacy in an edition whose state is one of `states`, to be changed."""
    edition = editions.locked(edition)
    if edition.state not in states:
        raise CurationError(
            f"The edition of {edition.day} is {edition.state}. Only a frozen or paused edition can be shaped."
        )
    _revise(edition)
    found = Candidate.objects.select_for_update().filter(edition=edition, paper=paper).first()
    if found is None:
        raise CurationError("That paper is not in this edition. Add it first.")
    return found


def _revise(edition: Edition) -> None:
    """Say that what was chosen from the edition before is out of date."""
    Edition.objects.filter(pk=edition.pk).update(revision=F("revision") + 1)


def pin(edition: Edition, paper: Paper, place: int | None = None) -> None:
    """Pin a paper at `place` (from 1; the end by default). Pinning shows a hidden paper again."""
    with transaction.atomic():
        candidate = _candidate(edition, paper)
        pins = list(
            Candidate.objects.filter(edition=edition, pin__isnull=False)
            .exclude(pk=candidate.pk)
            .order_by("pin")
        )
        if len(pins) >= MOST_PINS:
            raise CurationError(f"There are {MOST_PINS} pins already. Take one off first.")
        pins.insert(len(pins) if place is None else max(place - 1, 0), candidate)
        candidate.hidden = False
        _number(pins)


def unpin(edition: Edition, paper: Paper) -> None:
    """Take the pin off a paper."""
    with transaction.atomic():
        candidate = _candidate(edition, paper)
        candidate.pin = None
        candidate.save(update_fields=["pin"])
        _number(list(Candidate.objects.filter(edition=edition, pin__isnull=False).order_by("pin")))


def _number(pins: list[Candidate]) -> None:
    for place, candidate in enumerate(pins, start=1):
        candidate.pin = place
        candidate.save(update_fields=["pin", "hidden"])


def hide(edition: Edition, paper: Paper) -> None:
    """Keep a paper out of every reader's digest; its pin goes too.

    In an edition that is over as well: readers who got none of it may still find its papers in the next one.
    """
    with transaction.atomic():
        candidate = _candidate(edition, paper, states=HIDEABLE)
        candidate.hidden, candidate.pin = True, None
        candidate.save(update_fields=["hidden", "pin"])
        _number(list(Candidate.objects.filter(edition=edition, pin__isnull=False).order_by("pin")))


def show(edition: Edition, paper: Paper) -> None:
    """Undo `hide`."""
    with transaction.atomic():
        candidate = _candidate(edition, paper, states=HIDEABLE)
        candidate.hidden = False
        candidate.save(update_fields=["hidden"])


def annotate(edition: Edition, paper: Paper, note: str) -> None:
    """Write the curator's one line about a paper; the empty string takes it away."""
    line = " ".join(note.split())
    if len(line) > LONGEST_NOTE:
        raise CurationError(f"The note has {len(line)} characters; {LONGEST_NOTE} is the most.")
    with transaction.atomic():
        candidate = _candidate(edition, paper)
        candidate.note = line
        candidate.save(update_fields=["note"])


def annotate_edition(edition: Edition, note: str) -> None:
    """Write the curator's word to every reader, plain text; the empty string takes it away."""
    if len(note) > Edition.LONGEST_NOTE:
        raise CurationError(f"The note has {len(note)} characters; {Edition.LONGEST_NOTE} is the most.")
    with transaction.atomic():
        row = editions.locked(edition)
        if row.state not in (*SHAPEABLE, Edition.State.OPEN):
            raise CurationError(f"The edition of {row.day} is {row.state}; its note is fixed.")
        row.note = note.strip()
        row.save(update_fields=["note"])
        _revise(row)


def approve(edition: Edition, *, at: datetime) -> Edition:
    """Let the edition go out."""
    return editions.approve(edition, at=at)


def pause(edition: Edition, *, reason: str = "") -> Edition:
    """Hold the sending: nothing more leaves but the messages in flight. `reason` is said to curators."""
    with transaction.atomic():
        edition = editions.locked(edition)
        before = edition.state
        sending = [Edition.State.APPROVED, Edition.State.SENDING]
        editions.move(
            edition, Edition.State.PAUSED, allowed=sending, paused_from=before, pause_reason=reason[:200]
        )
    return edition


def resume(edition: Edition) -> Edition:
    """Go on where `pause` stopped."""
    with transaction.atomic():
        edition = editions.locked(edition)
        if edition.state != Edition.State.PAUSED:
            raise EditionError(f"The edition of {edition.day} is {edition.state}, not paused.")
        editions.move(
            edition, edition.paused_from, allowed=[Edition.State.PAUSED], paused_from="", pause_reason=""
        )
    return edition


def cancel(edition: Edition, *, at: datetime) -> Edition:
    """End an edition: what waits is cancelled, what left has left, and its papers go to the next edition."""
    with transaction.atomic():
        edition = editions.locked(edition)
        allowed = [
            Edition.State.OPEN,
            Edition.State.FROZEN,
            Edition.State.APPROVED,
            Edition.State.SENDING,
            Edition.State.PAUSED,
        ]
        editions.move(edition, Edition.State.CANCELLED, allowed=allowed, closed_at=at)
        settling.cancel(edition, at=at)
    return edition
