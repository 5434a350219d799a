"""Thin tasks: messages are hints, the rows say what is due."""

import time

from celery import shared_task
from django.utils import timezone

from subscribers import outbox, retention, signups, stopping
from subscribers.importing import jobs, running

#: A run of `tidy` stops here; what is left is for the next hour.
TIDY_SECONDS = 50
#: An import takes a worker for so long at a time; the next beat goes on with it.
IMPORT_SECONDS = 45


@shared_task
def send_outbox() -> int:
    """Take in who wishes to subscribe, and send the system mails that are due."""
    signups.take_in(at=timezone.now())
    return outbox.deliver_due(at=timezone.now())


@shared_task
def tidy() -> int:
    """Forget what is due, page by page, for a while."""
    started, touched = time.monotonic(), 0
    while time.monotonic() - started < TIDY_SECONDS and not stopping.told():
        page = retention.tidy(at=timezone.now())
        if not page:
            break
        touched += page
    jobs.discard_old(timezone.now())
    return touched


@shared_task
def import_readers() -> None:
    """Look through, or import, the oldest file of readers that nobody works on."""
    running.work(clock=timezone.now, seconds=IMPORT_SECONDS)
