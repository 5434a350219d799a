"""The loop of one worker: claim a batch, choose, render, send in groups, settle, until nothing is due."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import reset_queries, transaction

from digest.delivery import claiming, settling
from digest.delivery.choosing import Desk
from digest.delivery.sending import Prepared, submit
from digest.models import Delivery, Edition
from digest.ranking import Pick
from digest.rendering import EditionRenderer
from subscribers.transport import Fate, Outcome, Senders

#: Readers ranked together. A dead worker holds at most this many until its lease ends.
BATCH = 200
#: The part of a lease after which a worker that is still sending renews it.
RENEW_AFTER = 0.5

Clock = Callable[[], datetime]
Settled = Sequence[tuple[Prepared, Outcome]]


class UnmailableError(Exception):
    """No message of a whole batch can be made; the text says why."""


class Worker:
    """One owner of claims with its senders and, per edition, the pool and the renderer it works from."""

    def __init__(self, clock: Clock, *, on_settled: Callable[[int], object] = lambda _count: None) -> None:
        """`clock` returns the moment (aware UTC); `on_settled` hears how many deliveries were settled."""
        self.owner = secrets.token_hex(8)
        self.clock = clock
        self.on_settled = on_settled
        self.senders = Senders()
        self.wire_is_down = False
        self._desks: dict[int, tuple[Desk, EditionRenderer]] = {}

    def close(self) -> None:
        """Close the connections."""
        self.senders.close()

    def desk(self, edition: Edition) -> tuple[Desk, EditionRenderer]:
        """Return the desk and the renderer of `edition`, made once; only the newest two are kept."""
        if edition.pk not in self._desks:
            desk = Desk.of(edition)
            self._desks[edition.pk] = (desk, EditionRenderer(edition, desk.pool.paper_ids.tolist()))
            for stale in list(self._desks)[:-2]:
                del self._desks[stale]
        return self._desks[edition.pk]

    def work(self, *, limit: int, any_hour: bool = False, edition: Edition | None = None) -> int:
        """Claim up to `limit` deliveries and bring each as far as it goes; return how many were claimed."""
        claimed = claiming.claim(
            owner=self.owner, at=self.clock(), limit=min(limit, BATCH), any_hour=any_hour, edition=edition
        )
        by_edition: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in claimed:
            by_edition[delivery.edition_id].append(delivery)
        for deliveries in by_edition.values():
            prepared, unmailable = self._prepare(deliveries)
            self._reject(unmailable, others=len(prepared))
            self._send(prepared)
        return len(claimed)

    def _reject(self, unmailable: Sequence[tuple[Delivery, str]], *, others: int) -> None:
        """End the deliveries no message could be made for, unless that is all of them.

        One such reader is a poison reader; nobody but such readers is a fault of ours, and costs no reader
        their digest.
        """
        if len(unmailable) > 1 and not others:
            claiming.release([delivery for delivery, _reason in unmailable])
            raise UnmailableError(f"No message of {len(unmailable)} could be made: {unmailable[0][1]}")
        for delivery, reason in unmailable:
            settling.reject_unmailable(delivery, reason, at=self.clock())

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
            moment = delivery.submitted_at or at
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
                claiming.renew([item.delivery for item in waiting], owner=self.owner, at=self.clock())
                renew_at = self.clock() + RENEW_AFTER * timedelta(seconds=settings.LEASE_SECONDS)
            group = [] if self.wire_is_down else waiting[: settings.IN_FLIGHT]
            with transaction.atomic():
                settling.settle(settled, at=self.clock())
                going = submit(group, at=self.clock())
            self.on_settled(len(settled))
            if self.wire_is_down:
                claiming.release([item.delivery for item in waiting])
                return
            del waiting[: len(group)]
            outcomes = self.senders.send_all([item.message for item in going])
            settled = list(zip(going, outcomes, strict=True))
            # Nothing of a whole group left this machine: trying the rest now would only cost time-outs.
            self.wire_is_down = bool(settled) and all(outcome.fate is Fate.NOT_SENT for outcome in outcomes)


def run(
    worker: Worker,
    *,
    seconds: float | None = None,
    limit: int | None = None,
    any_hour: bool = False,
    edition: Edition | None = None,
) -> int:
    """Work until nothing is due, `limit` deliveries were claimed, `seconds` are over or the wire is down.

    Returns how many deliveries were claimed.
    """
    settling.sweep(at=worker.clock())
    stop_at = monotonic() + seconds if seconds is not None else None
    worker.wire_is_down = False
    total = 0
    while not worker.wire_is_down and (limit is None or total < limit):
        if stop_at is not None and monotonic() >= stop_at:
            break
        claimed = worker.work(
            limit=BATCH if limit is None else limit - total, any_hour=any_hour, edition=edition
        )
        if not claimed:
            break
        total += claimed
        reset_queries()  # under DEBUG Django keeps the text of every statement
    return total
