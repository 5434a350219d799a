"""What all decisions have in common: the locked edition, who decides, whether others were first, the row."""

from collections.abc import Callable, Collection, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from digest import editions
from digest.models import Decision, Edition, Paper

SHAPEABLE = (Edition.State.FROZEN, Edition.State.PAUSED)
HIDEABLE = (*SHAPEABLE, Edition.State.SENT, Edition.State.CANCELLED, Edition.State.EXPIRED)
#: In these the word to all readers and the subject can be written.
WORDABLE = (*SHAPEABLE, Edition.State.OPEN)

Kind = Decision.Kind
#: Decisions about where a paper stands: each of them may take back what another set.
STANDING = (Kind.PINNED, Kind.UNPINNED, Kind.HIDDEN, Kind.SHOWN, Kind.ADDED)
_MOVES = (Kind.APPROVED, Kind.PAUSED, Kind.RESUMED, Kind.CANCELLED)


class CurationError(Exception):
    """A decision that cannot be taken; the text says why and what to do."""


class ConflictError(CurationError):
    """Somebody has decided the same thing since the page was made. `theirs` is what they decided."""

    def __init__(self, theirs: Decision) -> None:
        super().__init__(f"{told(theirs)} after your page was made. Have a look, then decide again.")
        self.theirs = theirs


@dataclass(frozen=True, slots=True)
class By:
    """Who decides: a user's key and name; the clock or a command has neither."""

    user_id: int | None = None
    name: str = ""


CLOCK = By()


def told(decision: Decision) -> str:
    """Return "maria hid “A title” at 08:12 UTC", with the day where it is not today."""
    at = decision.at
    day = "" if at.date() == timezone.now().date() else f" on {at.day} {at:%B}"
    return f"{deed_of(decision)} at {at:%H:%M} UTC{day}"


def deed_of(decision: Decision) -> str:
    """Return "maria hid “A title”"."""
    deeds = {
        Kind.PINNED: "pinned",
        Kind.UNPINNED: "took the pin off",
        Kind.HIDDEN: "hid",
        Kind.SHOWN: "showed",
        Kind.NOTED: "changed the note on",
        Kind.ADDED: "added",
        Kind.WORD: "changed the word to all readers",
        Kind.SUBJECT: "changed the subject line",
        Kind.APPROVED: "approved the edition",
        Kind.PAUSED: "paused the edition",
        Kind.RESUMED: "resumed the edition",
        Kind.CANCELLED: "cancelled the edition",
    }
    deed = deeds[Kind(decision.kind)]
    if decision.kind == Kind.ADDED and decision.undoes_id is not None:
        deed = "took out again"
    about = f" {decision.paper.quoted}" if decision.paper else ""
    return f"{decision.by_name or 'Paperboy'} {deed}{about}"


@contextmanager
def deciding(edition: Edition, states: Container[str]) -> Iterator[Edition]:
    """Give the edition's locked row, for a decision that is possible in `states`. Raises CurationError."""
    with transaction.atomic():
        row = editions.locked(edition)
        if row.state not in states:
            raise CurationError(_too_late(row))
        yield row


def _too_late(edition: Edition) -> str:
    """Return why nothing can be changed any more, and who brought that about."""
    moved = edition.decisions.filter(kind__in=_MOVES).select_related("paper").first()
    who = f" {told(moved)}." if moved else ""
    return f"The edition of {edition.day} is {edition.state}, and this cannot be changed in it now.{who}"


def refuse_conflict(
    edition: Edition,
    seen: int | None,
    kinds: Collection[str],
    *,
    paper: Paper | None = None,
    when: Callable[[Decision], bool] = lambda _decision: True,
) -> None:
    """Raise ConflictError if one of `kinds`, on `paper` if given, was decided since revision `seen`.

    `when` looks closer: only a decision it answers True for counts.
    """
    if seen is None or seen >= edition.revision:
        return
    since = edition.decisions.filter(revision__gt=seen, kind__in=kinds).select_related("paper")
    found = since.filter(paper=paper) if paper else since
    theirs = next((decision for decision in found if when(decision)), None)
    if theirs is not None:
        raise ConflictError(theirs)


def record(
    edition: Edition,
    kind: Decision.Kind,
    by: By,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    paper: Paper | None = None,
    undoes: Decision | None = None,
) -> Decision:
    """Write a decision about the locked `edition`; its revision grows: what was chosen is out of date."""
    edition.revision += 1
    edition.save(update_fields=["revision"])
    return write(edition, kind, by, before=before, after=after, paper=paper, undoes=undoes)


def write(
    edition: Edition,
    kind: Decision.Kind,
    by: By,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    paper: Paper | None = None,
    undoes: Decision | None = None,
) -> Decision:
    """Write a decision that leaves the papers as they were, such as to pause."""
    return Decision.objects.create(
        edition=edition,
        paper=paper,
        kind=kind,
        before=dict(before),
        after=dict(after),
        by_id=by.user_id,
        by_name=by.name[:150],
        undoes=undoes,
        revision=edition.revision,
        at=timezone.now(),
    )
