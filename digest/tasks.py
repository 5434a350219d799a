"""Thin Celery tasks. Each may be lost or run twice: the rows they work from decide."""

from datetime import date

from celery import shared_task
from django.utils import timezone

from digest import (
    advancing,
    figures,
    forgetting,
    guarding,
    ingestion,
    reaching,
    tallying,
    watching,
    yielding,
)
from digest.delivery import due, run
from digest.events import applying
from digest.sources.base import Window
from subscribers.models import Topic
from subscribers.tasks import send_outbox

#: Readers that one delivery task is thought to serve before the next tick makes more of them.
READERS_A_TASK = 500
MOST_TASKS_A_TICK = 16
#: A delivery task stops claiming after this many seconds, so that workers can be stopped and counted on.
DELIVERY_SECONDS = 50
#: What is left of providers' events then is for the next beat, ten seconds after this one: a flood of them
#: takes one process at a time, and leaves the others to digests, which come after events in the queue.
EVENTS_SECONDS = 8
#: A walk through an edition rests after this many seconds and goes on with the next beat.
TALLY_SECONDS = 45


@shared_task
def tick() -> None:
    """Beat knows nothing but the minute; whatever is due gets its task."""
    guarding.tick(at=timezone.now())
    advance.apply_async(expires=55)
    if Topic.objects.edited().exists():
        rematch.apply_async(expires=55)
    for source, window in ingestion.due(timezone.now()):
        ingest.apply_async((source, window.first.isoformat(), window.last.isoformat()), expires=600)
    if figures.due(at=timezone.now()):
        keep_figures.apply_async(expires=55)


@shared_task
def advance() -> None:
    """Open, freeze, approve, enroll and close editions; then see that workers take what is due."""
    try:
        advancing.advance(at=timezone.now())
    finally:
        tasks = -(-due.count(timezone.now()) // READERS_A_TASK)
        # One at least: it also sweeps up after workers that died.
        for _ in range(max(min(tasks, MOST_TASKS_A_TICK), 1)):
            deliver.apply_async(expires=55)


@shared_task
def rematch() -> None:
    """Match papers to the topics that curators have edited."""
    ingestion.rematch_edited(at=timezone.now())


@shared_task
def keep_figures() -> None:
    """Count readers and topics for the desk's first page."""
    figures.keep(at=timezone.now())


@shared_task
def deliver() -> None:
    """Run the claim loop for a while; where somebody waits for a mail, let that go first."""
    enough = yielding.Yielding(timezone.now)
    worker = run.Worker(timezone.now, on_settled=watching.Watch(timezone.now), enough=enough)
    try:
        run.run(worker, seconds=DELIVERY_SECONDS)
    finally:
        worker.close()
    if enough.yields:
        send_outbox.apply_async(expires=55)
        deliver.apply_async(expires=55)


@shared_task
def reckon() -> None:
    """Reckon who would get what, of an edition where that is out of date."""
    reaching.reckon_due(at=timezone.now())


@shared_task
def watch() -> None:
    """Count the editions that move, and stop one that mailboxes refuse."""
    watching.watch(at=timezone.now())


@shared_task
def apply_events() -> None:
    """Let what providers told have its effects."""
    applying.apply_waiting(at=timezone.now(), seconds=EVENTS_SECONDS)


@shared_task
def tally() -> None:
    """Reckon what became of editions, paper by paper."""
    tallying.tally_due(at=timezone.now(), seconds=TALLY_SECONDS)


@shared_task
def forget() -> None:
    """Forget what is old enough."""
    forgetting.forget(at=timezone.now())


@shared_task
def ingest(source: str, first: str, last: str) -> None:
    """Take in what one source has for the days from `first` to `last` (ISO dates)."""
    window = Window(date.fromisoformat(first), date.fromisoformat(last))
    ingestion.take_in(source, window, at=timezone.now())
