"""`manage.py deliver`: run the claim loop in this process until nothing is due."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from tqdm import tqdm

from digest import editions, guarding
from digest.delivery import due
from digest.delivery.balance import balance
from digest.delivery.run import Worker, run
from digest.management.base import DatabaseCommand, a_day
from digest.models import Delivery, Edition
from digest.watching import Watch

#: A retry due within this time is waited for; what comes later is left to the clock or the next call.
PATIENCE = timedelta(seconds=90)
#: Rounds in a row in which nothing left this machine, after which the command gives up.
MOST_VAIN_ROUNDS = 3


class Command(DatabaseCommand):
    """Send what is due."""

    help = (
        "Send every digest that is due, in this process, until nothing is left; short retry delays are "
        "waited out. "
        "Safe beside running workers and safe to repeat: nobody gets a digest twice. "
        "Exit code 1 if something is left to be retried later or the balance is not exact."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--day", type=a_day, metavar="YYYY-MM-DD", help="only this edition")
        parser.add_argument("--now", action="store_true", help="do not wait for readers' local hours")
        parser.add_argument("--limit", type=int, metavar="N", help="claim at most N deliveries")

    def handle(self, *_args: Any, day: date | None, now: bool, limit: int | None, **_options: Any) -> None:
        """Work, wait for near retries, work again; then print the balance of each edition concerned."""
        if limit is not None and limit < 1:
            raise CommandError("--limit takes a number from 1.")
        edition = self._edition(day)
        touched, many = {edition.pk} if edition else set(), 0
        for line in due.lines(timezone.now(), any_hour=now, edition=edition):
            touched |= set(line.order_by().values_list("edition", flat=True).distinct())
            many += line.count()
        total = min(many, limit or many)
        with tqdm(total=total, unit="mail", disable=None) as bar:
            if guarding.look(at=timezone.now()) is None:
                why = f"{found} {guarding.CURE}" if (found := guarding.found()) else guarding.NO_WITNESS
                raise CommandError(f"Nothing was sent. {why}")
            watch = Watch(timezone.now)
            worker = Worker(timezone.now, on_settled=_both(bar.update, watch))
            try:
                self._until_done(worker, edition, any_hour=now, limit=limit)
            finally:
                worker.close()
        self._report(touched)

    def _edition(self, day: date | None) -> Edition | None:
        if day is None:
            return None
        edition = Edition.objects.filter(day=day).first()
        if edition is None:
            raise CommandError(
                f"There is no edition of {day}. Make one: edition --day {day} --freeze --approve --enroll"
            )
        return edition

    def _until_done(
        self, worker: Worker, edition: Edition | None, *, any_hour: bool, limit: int | None
    ) -> None:
        down = 0
        while True:
            claimed = run(worker, limit=limit, any_hour=any_hour, edition=edition)
            if worker.paced > PATIENCE.total_seconds():
                self.stderr.write(
                    "The pace that is set, or the provider, lets nothing go for a while; what waits, waits. "
                    "Run `deliver` again later or leave it to the workers."
                )
                return
            time.sleep(worker.paced)
            down = down + 1 if worker.stalled and not worker.paced else 0
            if down >= MOST_VAIN_ROUNDS:
                self.stderr.write(
                    "Nothing is being accepted. The log says what the mail server or provider answered; "
                    "check EMAIL_URL or ANYMAIL_PROVIDER."
                )
                return
            if limit is not None:
                limit -= claimed
                if limit <= 0:
                    return
            if worker.paced:
                continue
            wait = self._next_retry(edition)
            if wait is None:
                return
            time.sleep(wait.total_seconds())

    def _next_retry(self, edition: Edition | None) -> timedelta | None:
        """Return how long until the next retry worth waiting for, or None."""
        deferred = Delivery.objects.filter(
            state=Delivery.State.DEFERRED, edition__state__in=Edition.SENDABLE
        ).exclude(retry_at=None)
        if edition is not None:
            deferred = deferred.filter(edition=edition)
        moment = deferred.order_by("retry_at").values_list("retry_at", flat=True).first()
        if moment is None or (wait := moment - timezone.now()) > PATIENCE:
            return None
        return max(wait, timedelta(seconds=0.1))

    def _report(self, touched: set[int]) -> None:
        trouble = False
        for edition in Edition.objects.filter(pk__in=touched).order_by("day"):
            editions.close(edition, at=timezone.now())
            account = balance(edition)
            self.stdout.write(f"edition {edition.day}: {account}")
            left = Delivery.objects.filter(edition=edition, state=Delivery.State.DEFERRED).count()
            if left:
                self.stderr.write(
                    f"{left} could not be sent yet and will be retried; "
                    "run `deliver` again or leave it to the workers."
                )
            trouble = trouble or bool(left) or not account.exact
        if not touched:
            self.stdout.write("nothing is due")
        if trouble:
            raise SystemExit(1)


def _both(*listeners: Callable[[int], object]) -> Callable[[int], None]:
    """Return what tells each of `listeners`."""

    def tell(settled: int) -> None:
        for listener in listeners:
            listener(settled)

    return tell
