"""The guard against restored backups: digests leave only from the database that sent the last ones.

Each group counts up in the database, in the transaction that makes it `submitting`, and then, before its
first byte, outside (`witness`). So whatever left was counted outside before; a backup without it has a
smaller count, and is told by that. A crash between the two leaves the database ahead, as it may be.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Q

from digest import witness
from digest.models import Delivery, Guard
from digest.witness import Mark

log = structlog.get_logger(__name__)
T = TypeVar("T")

FAULTS = (DatabaseError, InterfaceError)

#: The log says so this often while nothing leaves.
EVERY = timedelta(minutes=1)
#: What an operator does.
CURE = "Run `manage.py arm`: it says what it found and asks before it does anything."
BEHIND = "More was sent than this database knows of: it was restored from a backup, or it is an old copy."
FOREIGN = "Another database has sent since: this one was restored from a backup, or it is a copy."
MISSING = (
    "Nothing outside the database knows what was sent from it: it was copied or restored to another place, "
    "or both the broker's memory and the file in WITNESS_DIR are gone."
)

NO_WITNESS = (
    "The broker does not answer, and no file in WITNESS_DIR knows what was sent: start the broker, or check "
    "REDIS_URL."
)


class DisarmedError(Exception):
    """Nothing may leave."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why nothing may leave, if so, and whether it is proven that this database is older than what left."""

    why: str = ""
    behind: bool = False


def judge(
    own: Mark, marks: Sequence[Mark], ancestors: Collection[str], *, has_sent: Callable[[], bool]
) -> Verdict:
    """Return what `marks`, read outside before `own` was read in the database, say of the database.

    One that never counted is new or has just been upgraded, and takes over what nobody sent from.
    """
    for mark in marks:
        if mark.lineage == own.lineage:
            if mark.generation > own.generation:
                return Verdict(BEHIND, behind=True)
        elif mark.lineage not in ancestors and (own.generation or has_sent()):
            return Verdict(FOREIGN, behind=True)
    return Verdict(MISSING) if own.generation and not marks else Verdict()


def guard() -> Guard:
    """Return the row, made if it is not there."""
    return Guard.objects.get_or_create(pk=1)[0]


def tick(*, at: datetime) -> None:
    """Note that the clock ticked at `at`, and look: a restored database is told before anything is due."""
    guard()
    Guard.objects.filter(pk=1).update(ticked_at=at)
    look(at=at)


def found() -> str:
    """Return why nothing leaves, as it was found; the empty string while sending is armed."""
    return Guard.objects.filter(pk=1, disarmed_at__isnull=False).values_list("why", flat=True).first() or ""


def look(*, at: datetime) -> Mark | None:
    """Compare the database with what is told outside; return its mark, None while nothing may leave.

    What is found stays until an operator arms: each sending would bring the count nearer.
    """
    try:
        marks = witness.told()
    except witness.NoWitnessError as error:
        log.warning("sending_waits", why=NO_WITNESS, fault=str(error))
        return None
    row = guard()  # after the outside: what is counted there was counted here before
    own = Mark(row.lineage, row.generation)
    if row.disarmed_at is None:
        verdict = judge(own, marks, row.ancestors, has_sent=_has_sent)
        if not verdict.why and _told(row, own, marks):
            return own
        if verdict.why:
            _disarm(verdict, at=at)
    _say(at=at)
    return None


def _told(row: Guard, own: Mark, marks: Sequence[Mark]) -> bool:
    """Refresh what is told outside; say whether that could be done."""
    others = sorted({mark.lineage for mark in marks} - {own.lineage, *row.ancestors})
    if others:  # a new database took over: another host may tell of the old one still
        row.ancestors = [*row.ancestors, *others]
        row.save(update_fields=["ancestors"])
    try:
        witness.tell(own, over=row.ancestors)
    except witness.NoWitnessError:
        return False
    return True


def _has_sent() -> bool:
    return Delivery.objects.filter(submitted_at__isnull=False).exists()


def _disarm(verdict: Verdict, *, at: datetime) -> None:
    Guard.objects.filter(pk=1, disarmed_at=None).update(
        disarmed_at=at, why=verdict.why, behind=verdict.behind
    )


def _say(*, at: datetime) -> None:
    """Say in the log that nothing leaves, once a minute, whoever of all the workers comes first."""
    due = Q(said_at=None) | Q(said_at__lte=at - EVERY) | Q(said_at__gt=at)
    if Guard.objects.filter(due, pk=1, disarmed_at__isnull=False).update(said_at=at):
        why = Guard.objects.values_list("why", flat=True).get(pk=1)
        log.error("sending_disarmed", why=why, cure=CURE)


class Passage:
    """One worker's leave to send: it ends when the database turns out not to be the one that it was."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """`clock` returns the moment (aware UTC)."""
        self._clock = clock
        #: The last count told outside, and the one that is being committed.
        self._mark: Mark | None = None
        self._counted: Mark | None = None
        self._ancestors: list[str] = []

    def open(self) -> bool:
        """Look; say whether digests may leave."""
        self._mark = look(at=self._clock())
        self._ancestors = guard().ancestors if self._mark else []
        return self._mark is not None

    def through(self, submission: Callable[[], list[T]]) -> list[T] | None:
        """Return what `submission` makes `submitting`, counted; None where nothing may leave any more."""
        try:
            with transaction.atomic():
                going = submission()
                if going:
                    self.advance()
                return going
        except DisarmedError:
            self.closed()
            return None

    def advance(self) -> None:
        """Count a group, in the transaction that makes it `submitting`, as the last thing in it.

        The row is everybody's, and is held until the commit. Raises DisarmedError.
        """
        known = self._mark or Mark("", 0)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {Guard._meta.db_table} SET generation = generation + 1 "  # noqa: S608 - our own name
                "WHERE id = 1 AND lineage = %s AND generation >= %s AND disarmed_at IS NULL "
                "RETURNING generation",
                [known.lineage, known.generation],
            )
            row = cursor.fetchone()
        if row is None:
            raise DisarmedError
        self._counted = Mark(known.lineage, row[0])  # it counts once it is committed

    def vouch(self) -> bool:
        """Tell the count outside, after its commit and before the first byte; say whether it may go."""
        own = self._counted
        if own is None:
            return False
        try:
            marks = witness.tell(own, over=self._ancestors)
        except witness.NoWitnessError:
            return False
        self._mark = own
        if all(mark.lineage == own.lineage and mark.generation < own.generation for mark in marks):
            return True
        # Somebody told more: another worker since the commit, or one of the database that this is a copy of.
        try:
            return look(at=self._clock()) is not None
        except FAULTS:  # nothing of the group has left yet, and so it is
            return False

    def closed(self) -> None:
        """Find out why the database let nobody pass: it may have been restored under a living worker."""
        known, row = self._mark, guard()
        if known and row.lineage == known.lineage and row.generation < known.generation:
            _disarm(Verdict(BEHIND, behind=True), at=self._clock())
        look(at=self._clock())
