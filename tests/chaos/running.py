"""One run from its template to its verdict."""

import queue
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from digest import advancing
from digest.delivery.balance import balance
from digest.delivery.run import Worker
from digest.delivery.run import run as deliver
from digest.models import Delivery, Edition, Paper
from tests.chaos import postbox, world
from tests.chaos.crew import Crew, Killed
from tests.chaos.judging import Facts, Row, Verdict, judge, judge_next
from tests.chaos.ledger import Ledger, Mail
from tests.chaos.nursery import Nursery
from tests.chaos.places import APPROVED, OPEN, Place
from tests.chaos.postbox import Postbox
from tests.chaos.sink import Sink
from tests.chaos.steps import STEPS, WEBHOOK, Plan
from tests.processes import free_port

#: A run that is not over by then is a fault.
PATIENCE = 120.0
TOMORROW = timedelta(days=1)


class Stage:
    """What the runs of one house share: a place, the nursery, the mail server."""

    def __init__(
        self,
        place: Place,
        nursery: Nursery,
        deaths: "queue.Queue[Killed]",
        server: Sink | Postbox,
        folder: Path,
    ) -> None:
        self.place, self.nursery, self.deaths, self.server, self.folder = (
            place,
            nursery,
            deaths,
            server,
            folder,
        )
        self._undisturbed: dict[str, Any] = {}

    def run(self, plan: Plan) -> dict[str, Any]:
        """Run `plan` and return its figures; `faults` is empty where everything is as promised."""
        webhook = plan.step == WEBHOOK
        if webhook and not self._undisturbed:
            verdict, _ = self._do(replace(plan, kills=()))
            self._undisturbed = postbox.fingerprint()
            if verdict.faults:
                return {**asdict(verdict), "faults": ["undisturbed: " + fault for fault in verdict.faults]}
        began = time.monotonic()
        verdict, crew = self._do(plan)
        if webhook:
            verdict.faults += postbox.differences(self._undisturbed, postbox.fingerprint())
        self._next_edition(verdict, after_webhooks=webhook)
        return {
            **asdict(verdict),
            "kills": len(crew.deaths),
            "on_the_wire": len(crew.on_the_wire),
            "seconds": round(time.monotonic() - began, 2),
        }

    def _do(self, plan: Plan) -> tuple[Verdict, Crew]:
        """Bring today's edition to everybody while workers are killed; return the verdict on it."""
        self._set(plan)
        crew = Crew(self.nursery, self.deaths, plan.kills, self.folder)
        ledger = self.server.begin(plan.kills, by=crew, cut=plan.cut)
        planted: set[str] = set()
        try:
            crew.start()
            if isinstance(self.server, Postbox):
                planted = postbox.planted()
            if plan.step == WEBHOOK:
                over = watch(crew, 0) and tell(crew, plan, ledger)
            else:
                over = watch(crew, len(plan.kills))
        finally:
            crew.end()
        verdict = verdict_of(plan, crew, ledger.mails(), planted=planted)
        if not over:
            verdict.faults.append(f"not over after {PATIENCE:.0f} s: {states()}")
        return verdict, crew

    def _set(self, plan: Plan) -> None:
        """Make the place anew."""
        connection.close()
        while not self.deaths.empty():
            self.deaths.get_nowait()
        self.place.reset(APPROVED if STEPS[plan.step].frozen else OPEN)
        self.folder.mkdir(parents=True, exist_ok=True)
        world.sources_answered()

    def _next_edition(self, verdict: Verdict, *, after_webhooks: bool) -> None:
        """Make and deliver tomorrow's edition in this process, whose clock says tomorrow; judge it."""
        before = rows()
        ledger = self.server.begin()
        at = timezone.now() + TOMORROW
        new = world.new_day(at)
        advancing.advance(at=at)
        worker = Worker(lambda: timezone.now() + TOMORROW)
        try:
            deliver(worker)
        finally:
            worker.close()
        readers = world.eligible()
        if after_webhooks:
            readers = {
                reader for reader in readers if postbox.takes_not(reader) or not postbox.leaves(reader)
            }
        judge_next(verdict, before, ledger.mails(), readers, new)
        edition = world.edition_of(at)
        account = balance(edition) if edition else None
        if account is None or not account.exact:
            verdict.unbalanced += verdict.blame(1, f"account of the next edition does not balance: {account}")


def watch(crew: Crew, kills: int, *, also: Callable[[], bool] = lambda: True) -> bool:
    """Wait until everything is settled, seeing to the killed; say whether it came to that.

    `also` has to be so, too.
    """
    deadline = time.monotonic() + PATIENCE
    at = timezone.now()
    idle_since = 0.0
    while time.monotonic() < deadline:
        if crew.look(0.05) or not (world.is_over(world.edition_of(at)) and also()):
            idle_since = 0.0
            continue
        # All is done. Who has not been killed may still be, in one of the next ticks; and on a slow machine
        # a sweep may have taken somebody for dead who is about to tell how it went.
        idle_since = idle_since or time.monotonic()
        if (len(crew.deaths) >= kills and crew.explains_unknown()) or time.monotonic() - idle_since > 5:
            return True
    return False


def tell(crew: Crew, plan: Plan, ledger: Ledger) -> bool:
    """Let the provider post what became of its mails, and wait until that is applied."""
    port = free_port()
    crew.serve_web(port)
    with ThreadPoolExecutor(1) as thread:
        posted = thread.submit(postbox.post, ledger.mails(), port, plan.seed)
        over = watch(crew, len(plan.kills), also=lambda: posted.done() and not postbox.waiting())
        return posted.result() and over


def verdict_of(plan: Plan, crew: Crew, mails: Sequence[Mail], *, planted: Collection[str] = ()) -> Verdict:
    """Judge what a run left behind."""
    edition = world.edition_of(timezone.now())
    account = balance(edition) if edition else None
    return judge(
        Facts(
            mails=mails,
            rows=rows(),
            eligible=world.eligible(),
            balance=str(account),
            exact=account is not None and account.exact,
            deaths=crew.deaths,
            kills_planned=len(plan.kills),
            in_flight=settings.IN_FLIGHT,
            planted=planted,
        )
    )


def rows() -> list[Row]:
    """Return the deliveries as they stand."""
    names = dict(Paper.objects.values_list("pk", "arxiv_id"))
    found = Delivery.objects.values_list("subscriber__address", "public_id", "state", "picks")
    return [
        Row(address or "", public_id, state, frozenset(str(names[paper]) for paper, _reason in picks))
        for address, public_id, state, picks in found
    ]


def states() -> dict[str, int]:
    """Return how many deliveries stand in which state, and the editions', for the report of a fault."""
    found: dict[str, int] = {f"edition {one.day}: {one.state}": one.enrolled for one in Edition.objects.all()}
    for state in Delivery.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found
