"""The loop of one worker: claim a batch, choose, render, send in groups, settle, until nothing is due."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic, sleep

import structlog
from django.conf import settings
from django.db import reset_queries, transaction

from digest import guarding
from digest.delivery import claiming, pacing, settling
from digest.delivery.choosing import Desk
from digest.delivery.persisting import FAULTS, OUTAGES, persist
from digest.delivery.sending import Prepared, moment_of, submit
from digest.delivery.vain import MOST_POISON, is_vain
from digest.delivery.vouching import send_vouched
from digest.models import Delivery, Edition
from digest.ranking import Pick
from digest.rendering import EditionRenderer
from subscribers import stopping
from subscribers.pace import Pacer
from subscribers.transport import Interrupted, Outcome, Senders

log = structlog.get_logger(__name__)

#: Readers ranked together. A dead worker holds at most this many until its lease ends.
BATCH = 200
#: The part of a lease after which a worker that is still sending renews it.
RENEW_AFTER = 0.5
#: How long one rests that was given back twice in a row: its edition changes faster than messages are made.
REST = timedelta(minutes=1)
#: Outages of the database in a row, none of them survived by a single batch, after which a worker gives up.
MOST_OUTAGES = 3
#: Seconds for which work that nothing depends on is tried again: leases put right what is left undone.
A_WHILE = 30.0

Clock = Callable[[], datetime]
Settled = Sequence[tuple[Prepared, Outcome]]


class UnmailableError(Exception):
    """No message of a whole batch can be made; the text says why."""


class Worker:
    """One owner of claims with its senders and, per edition, the pool and the renderer it works from."""

    def __init__(
        self,
        clock: Clock,
        *,
        on_settled: Callable[[int], object] = lambda _count: None,
        enough: Callable[[], bool] = stopping.told,
    ) -> None:
        """`clock` returns the moment (aware UTC); `on_settled` hears how many deliveries were settled.

        `enough` is asked between two groups of messages: once it says so, nothing more is begun.
        """
        self.owner = secrets.token_hex(8)
        self.clock = clock
        self.on_settled = on_settled
        self.enough = enough
        self.pacer = Pacer(clock)
        self.senders = Senders(pacer=self.pacer)
        self.passage = guarding.Passage(clock)
        self.stalled = False
        #: Seconds until the pace lets more go, where that is why it stalled.
        self.paced = 0.0
        #: When to be through, in monotonic seconds.
        self.stop_at: float | None = None
        self._desks: dict[tuple[int, int], tuple[Desk, EditionRenderer]] = {}
        self._last: set[int] = set()

    def close(self) -> None:
        """Close the connections."""
        self.senders.close()

    def desk(self, edition: Edition) -> tuple[Desk, EditionRenderer]:
        """Return the desk and the renderer of `edition` as curators left it; the newest two are kept."""
        key = (edition.pk, edition.revision)
        if key not in self._desks:
            desk = Desk.of(edition)
            self._desks[key] = (desk, EditionRenderer(edition, desk.pool.paper_ids.tolist()))
            for stale in list(self._desks)[:-2]:
                del self._desks[stale]
        return self._desks[key]

    def work(self, *, limit: int, any_hour: bool = False, edition: Edition | None = None) -> int:
        """Claim up to `limit` deliveries and bring each as far as it goes; return how many were claimed.

        None are where the database may be a restored backup.
        Raises UnmailableError, after all the others were seen to, where an edition has only such readers.
        """
        if not self.passage.open():
            return 0
        claimed = claiming.claim(
            owner=self.owner, at=self.clock(), limit=min(limit, BATCH), any_hour=any_hour, edition=edition
        )
        self._see_to(claimed)
        if not self.stalled:
            self._let_rest({delivery.pk for delivery in claimed})
        return len(claimed)

    def _see_to(self, claimed: Sequence[Delivery]) -> None:
        by_edition: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in pacing.in_turn(claimed, self.pacer, at=self.clock()):
            by_edition[delivery.edition_id].append(delivery)
        faults = []
        for deliveries in by_edition.values():
            prepared, unmailable = self._prepare(deliveries)
            if len(unmailable) > MOST_POISON and not prepared:
                claiming.release([delivery for delivery, _reason in unmailable])
                faults.append(f"No message of {len(unmailable)} could be made: {unmailable[0][1]}")
                continue
            for delivery, reason in unmailable:
                settling.reject_unmailable(delivery, reason, at=self.clock())
            self._send(prepared)
        if faults:
            raise UnmailableError(" ".join(faults))

    def _let_rest(self, keys: set[int]) -> None:
        """Let those rest that the round before had, too, and that are ready again: else it never ends."""
        again = self._last & keys
        if again and (many := claiming.let_rest(again, owner=self.owner, until=self.clock() + REST)):
            log.warning("given_back_twice", deliveries=many)
        self._last = keys

    def _prepare(self, deliveries: Sequence[Delivery]) -> tuple[list[Prepared], list[tuple[Delivery, str]]]:
        """Return the deliveries of one edition with their messages, and those none can be made for, with why.

        Those with nothing to send end here.
        """
        at = self.clock()
        edition = deliveries[0].edition
        desk, renderer = self.desk(edition)
        readers = [delivery.subscriber for delivery in deliveries if delivery.subscriber is not None]
        offered = set(desk.pool.paper_ids.tolist())
        chosen = desk.choose(readers, at=at)
        picks = {reader.pk: mine for reader, mine in zip(readers, chosen, strict=True)}
        prepared, unmailable = [], []
        for delivery in deliveries:
            if delivery.subscriber is None:  # erased since
                settling.skip(delivery, Delivery.State.SKIPPED_UNSUBSCRIBED, at=at)
                continue
            before = [Pick(paper, reason) for paper, reason in delivery.picks]
            # A retry is the same bytes again, so that a provider knows it.
            again = bool(before) and offered.issuperset(pick.paper_id for pick in before)
            mine = before if again else picks[delivery.subscriber.pk]
            if not mine:
                settling.skip(delivery, Delivery.State.SKIPPED_EMPTY, at=at)
                continue
            moment = moment_of(delivery, at)
            try:
                digest = renderer.digest(delivery.public_id, delivery.subscriber, mine, moment)
            except ValueError as error:
                unmailable.append((delivery, str(error)))
            else:
                prepared.append(Prepared(delivery, digest.shown, digest.message, moment))
        return prepared, unmailable

    def _send(self, prepared: Sequence[Prepared]) -> None:
        """Send in groups of IN_FLIGHT: the outcomes of one group and the start of the next are one commit."""
        waiting = list(prepared)
        settled: Settled = []
        renew_at = self.clock() + RENEW_AFTER * timedelta(seconds=settings.LEASE_SECONDS)
        while waiting or settled:
            if self.clock() >= renew_at:
                claiming.hold([item.delivery for item in waiting], owner=self.owner, at=self.clock())
                renew_at = self.clock() + RENEW_AFTER * timedelta(seconds=settings.LEASE_SECONDS)
            self.stalled = self.stalled or self.enough()
            group, later = ([], []) if self.stalled else self._next_group(waiting)
            going = self._exchange(settled, group)
            self._put_off(later)
            self.on_settled(len(settled))
            if self.stalled:
                claiming.release([item.delivery for item in (*group, *waiting)])
                return
            if waiting and not group:  # a short wait, and outcomes do not wait with it
                sleep(self.paced)
                self.paced = 0.0
            try:
                outcomes = send_vouched(going, self.passage, self.senders)
            except Interrupted as stop:
                self._keep(list(zip(going, stop.outcomes, strict=True)))
                claiming.release([item.delivery for item in waiting])
                raise stop.__cause__ or stop from None
            settled = list(zip(going, outcomes, strict=True))
            self.stalled = is_vain(outcomes)

    def _next_group(self, waiting: list[Prepared]) -> tuple[list[Prepared], pacing.Waits]:
        """Take out of `waiting` who goes next and who is put off; where the pace has all wait long, stall."""
        group, later, self.paced = pacing.next_group(waiting, self.pacer)
        late = self.stop_at is not None and monotonic() >= self.stop_at
        self.stalled = not group and bool(waiting) and (self.paced > pacing.PATIENCE or late)
        return group, later

    def _put_off(self, later: pacing.Waits) -> None:
        """Put off who waits for a turn: after the outcomes are written, since this may fail, not they."""
        try:
            pacing.put_off(later, at=self.clock())
        except FAULTS:
            log.exception("not_put_off", deliveries=len(later))  # their lease will end

    def may_claim(self) -> bool:
        """Say whether the pace lets anything go; a short wait is waited for."""
        self.paced = self.pacer.closed()
        if 0 < self.paced <= pacing.PATIENCE:
            sleep(self.paced)
            self.paced = self.pacer.closed()
        self.stalled = self.paced > 0
        return not self.stalled

    def _exchange(self, settled: Settled, group: Sequence[Prepared]) -> list[Prepared]:
        """Commit the outcomes of one group and the start of the next together; return who may go.

        What was sent must not lose its outcome because the next group's commit failed. Whether that commit
        happened nobody knows: its answer may be what was lost. Nothing of the group is on the wire, so what
        became `submitting` by it is still ours to send.
        """
        try:
            with transaction.atomic():
                settling.settle(settled, at=self.clock())
                return self._start(lambda: submit(group, at=self.clock()))
        except FAULTS:
            log.exception("exchange_failed", settled=len(settled))
        self._keep(settled)
        return persist(
            lambda: self._start(lambda: submit(group, at=self.clock(), again=True)), seconds=A_WHILE
        )

    def _start(self, submission: Callable[[], list[Prepared]]) -> list[Prepared]:
        """Move a group to `submitting` and count it; return who may go, nobody where the guard says so."""
        going = self.passage.through(submission)
        self.stalled = self.stalled or going is None
        return going or []

    def _keep(self, settled: Settled) -> None:
        """Write outcomes, trying again and again: else mails that left would count as unknown."""
        persist(lambda: settling.settle(settled, at=self.clock()))

    def give_back(self) -> None:
        """Give back what this worker holds and has not begun to send, whatever it knows of it.

        The answer to a claim may be what was lost: then the rows are ours, and nobody knows which.
        """
        persist(lambda: claiming.release_all(self.owner), seconds=A_WHILE)


def run(
    worker: Worker,
    *,
    seconds: float | None = None,
    limit: int | None = None,
    any_hour: bool = False,
    edition: Edition | None = None,
) -> int:
    """Work until nothing is due, `limit` deliveries were claimed, `seconds` are over, sending is in vain or
    the worker has `enough`.

    Returns how many deliveries were claimed. An outage of the database is survived: what was claimed is
    given back, and the work goes on. Raises OperationalError after the third one in a row.
    """
    persist(lambda: settling.sweep(at=worker.clock()), seconds=A_WHILE)
    worker.stop_at = monotonic() + seconds if seconds is not None else None
    worker.stalled = False
    total = outages = 0
    while not worker.stalled and (limit is None or total < limit):
        if worker.enough() or (worker.stop_at is not None and monotonic() >= worker.stop_at):
            break
        if not worker.may_claim():
            break
        try:
            claimed = worker.work(
                limit=BATCH if limit is None else limit - total, any_hour=any_hour, edition=edition
            )
        except OUTAGES:
            outages += 1
            log.exception("work_interrupted", outages=outages)
            worker.give_back()
            if outages >= MOST_OUTAGES:
                raise
            continue
        outages = 0
        if not claimed:
            break
        total += claimed
        reset_queries()  # under DEBUG Django keeps the text of every statement
    return total
