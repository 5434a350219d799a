"""Letting a database send again that may be a restored backup: by an operator who is told what it means."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from digest import editions, guarding, witness
from digest.delivery import settling
from digest.models import Delivery, Edition, Guard
from digest.witness import Mark
from subscribers.models import new_public_id

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What an operator is told before arming; `editions` expire, and so many digests wait for each."""

    row: Guard
    told: list[Mark]
    editions: list[tuple[Edition, int]]

    def __iter__(self) -> Iterator[str]:
        """Yield it in sentences."""
        yield f"Sending has been disarmed since {self.row.disarmed_at:%Y-%m-%d %H:%M} UTC. {self.row.why}"
        for mark in self.told:
            if mark.lineage == self.row.lineage and mark.generation > self.row.generation:
                lost = mark.generation - self.row.generation
                yield f"Since the backup, {lost:,} groups of digests left that are not in this database."
        for edition, waiting in self.editions:
            yield f"The edition of {edition.day} ({edition.state}) expires, with {waiting:,} waiting digests."
        if not self.editions:
            yield "No edition is under way, so none has to expire."
        yield (
            "Nobody gets an expired edition: whoever has not had it finds its papers in the next digest. "
            "Whoever has had it may find some of them there again: this database does not know what left."
        )
        yield (
            "Who unsubscribed, complained or was erased since the backup is a reader here again. Take them "
            "out before the next edition: docs/operations.md says where they are still known."
        )


def find(*, at: datetime) -> Finding | None:
    """Return what an operator has to know, None where sending is armed.

    Raises witness.NoWitnessError.
    """
    guarding.look(at=at)
    row = guarding.guard()
    if row.disarmed_at is None:
        return None
    missed = [(edition, _waiting(edition)) for edition in editions.missed(at)]
    return Finding(row, witness.told(), missed)


def _waiting(edition: Edition) -> int:
    return Delivery.objects.waiting().filter(edition=edition).count()


def arm(*, at: datetime, keep: bool = False) -> int:
    """Let digests leave from this database again; return how many waiting ones expired.

    What was due before `at` expires, unless `keep`: an operator knows then that nothing is missing here. The
    lineage is a new one, so that the database that sent before, should it come back, lets nothing leave.
    Safe to repeat after a crash: sending is armed by the last step. Raises witness.NoWitnessError.
    """
    marks = witness.told()
    ended = 0
    if not keep:
        if editions.freeze_moment(editions.edition_day(at)) <= at:
            # Else the clock would open it, as if nobody had had today's.
            editions.open_edition(editions.edition_day(at), at=at)
        for edition in editions.missed(at):
            editions.end_missed(edition, at=at)
        ended = settling.end_missed(at=at)
    with transaction.atomic():
        row = Guard.objects.select_for_update().get(pk=1)
        row.ancestors = sorted({*row.ancestors, row.lineage, *(mark.lineage for mark in marks)})
        row.lineage = new_public_id()
        row.generation = max([row.generation, *(mark.generation for mark in marks)]) + 1
        row.disarmed_at, row.why, row.behind, row.said_at = None, "", False, None
        row.armed_at = row.armed_at if keep else at
        row.save()
    witness.tell(Mark(row.lineage, row.generation), over=row.ancestors)
    log.warning("sending_armed", expired=ended, kept=keep)
    return ended
