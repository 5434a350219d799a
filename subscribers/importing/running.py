"""The walk over the file, batch by batch: each batch is one commit of its readers and of how far the job is.

Kill the process anywhere: the next one walks over the rows that are committed without acting, and goes on.
The job's epoch fences a process that somebody else has taken over from, and one whose job was cancelled.
"""

import math
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice

import structlog
import tablib
from django.db import IntegrityError, reset_queries, transaction

from subscribers import stopping
from subscribers.admitting import admit_imported, suppress_imported
from subscribers.importing import jobs
from subscribers.importing.decoding import TOLD
from subscribers.importing.entries import Entry, Standing
from subscribers.importing.known import Known
from subscribers.importing.outcomes import UNREMARKABLE, Outcome, Tally, Verdict
from subscribers.importing.resource import HEADERS, ReaderResource
from subscribers.importing.sheets import Line, Sheet, SheetError, open_sheet
from subscribers.models import ImportJob, ImportProblem

log = structlog.get_logger(__name__)

#: Rows of one commit: what a kill costs, and what memory holds.
BATCH = 1_000
#: Starts without a commit between them, before the job counts as broken.
MOST_ATTEMPTS = 5
#: Somebody may sign up between the question and the answer; then the batch is asked about again.
MOST_COLLISIONS = 3

Clock = Callable[[], datetime]


class SupersededError(Exception):
    """The job was cancelled, or another process works on it now: this one must stop."""


def work(*, clock: Clock, seconds: float) -> None:
    """Go on with the oldest import that nobody works on, if there is one, for about `seconds`."""
    waiting = ImportJob.objects.waiting(clock()).order_by("pk").first()
    if waiting:
        run(waiting.pk, clock=clock, seconds=seconds)


def run(
    pk: int,
    *,
    clock: Clock,
    seconds: float = math.inf,
    progress: Callable[[ImportJob], object] = lambda _job: None,
) -> ImportJob:
    """Look through or import the file of a job under way for `seconds`, taking it over from whoever did.

    `progress` is called after each batch. Returns the job as it stands then: still under way if the time is
    up, else ready, done, failed, or cancelled by somebody else. Raises ImportJobError if it is not under way.
    """
    job = _take(pk, clock())
    if job.state == ImportJob.State.FAILED:
        return job
    try:
        _Walk(job, clock, progress).go(until=time.monotonic() + seconds)
    except (SheetError, FileNotFoundError) as error:
        missing = "Its file is not on this machine any more (DATA_DIR/imports). Upload it again."
        _fail(job, str(error) if isinstance(error, SheetError) else missing, clock())
    except SupersededError:
        log.info("import_superseded", job=pk)
    job.refresh_from_db()
    return job


def _take(pk: int, at: datetime) -> ImportJob:
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().get(pk=pk)
        if job.state not in ImportJob.UNDER_WAY:
            raise jobs.ImportJobError(
                f"This import is {job.get_state_display().lower()}; there is nothing to do."
            )
        job.epoch += 1
        job.attempts += 1
        job.lease_until = at + ImportJob.LEASE
        job.save(update_fields=["epoch", "attempts", "lease_until"])
    if job.attempts > MOST_ATTEMPTS:
        _fail(
            job,
            f"It stopped {MOST_ATTEMPTS} times after row {job.done:,}. The log of the worker says why.",
            at,
        )
    return job


def _fail(job: ImportJob, problem: str, at: datetime) -> None:
    with transaction.atomic():
        jobs.finish(_locked(job), ImportJob.State.FAILED, at=at, problem=problem)
    jobs.discard_file(job)
    job.refresh_from_db()


def _locked(job: ImportJob) -> ImportJob:
    """Return the job's row, locked. Raises SupersededError if it is not ours any more."""
    ours = ImportJob.objects.select_for_update().filter(pk=job.pk, epoch=job.epoch, state=job.state)
    row = ours.first()
    if row is None:
        raise SupersededError
    return row


class _Walk:
    """One process's way through one file."""

    def __init__(self, job: ImportJob, clock: Clock, progress: Callable[[ImportJob], object]) -> None:
        self.job = job
        self.clock = clock
        self.progress = progress
        self.sheet = open_sheet(jobs.path_of(job), job.format)
        self.known = Known()

    def go(self, *, until: float) -> None:
        """Walk to the end, or stop between two batches when the time is up."""
        total = self._survey()
        rows = self.sheet.rows()
        for batch in _batches(islice(rows, self.job.done)):
            ReaderResource(self.known).judge(_dataset(batch), at=self.clock())
        began, before = time.monotonic(), self.job.done
        for batch in _batches(rows):
            self._take_in(batch)
            elapsed = time.monotonic() - began
            self.job.rate = (self.job.done - before) / elapsed if elapsed else 0.0
            self.progress(self.job)
            reset_queries()  # in development Django keeps the text of the last 9,000 statements
            if (stopping.told() or time.monotonic() > until) and self.job.done < total:
                self._pause()
                return
        self._end()

    def _survey(self) -> int:
        """Count the rows and note who stands in the file as anything but subscribed, on whatever row."""
        total = 0
        for row in self.sheet.rows():
            total += 1
            if row.entry and row.entry.standing is not Standing.SUBSCRIBED:
                self.known.note(row.entry.address, row.entry.standing)
        if not total:
            raise SheetError("The file has a header and no rows.")
        _describe(self.job, self.sheet, total)
        return total

    def _take_in(self, batch: list[Line]) -> None:
        for collisions in range(MOST_COLLISIONS):
            try:
                with transaction.atomic():
                    self.job = self._judged_and_admitted(batch)
            except IntegrityError:
                self.known.unsee()
                if collisions + 1 == MOST_COLLISIONS:
                    raise
            else:
                return

    def _judged_and_admitted(self, batch: list[Line]) -> ImportJob:
        job, at = _locked(self.job), self.clock()
        self.known.ask([row.entry.address for row in batch if row.entry])
        resource = ReaderResource(self.known)
        resource.judge(_dataset(batch), at=at)
        if job.state == ImportJob.State.IMPORTING:
            suppress_imported(resource.unwanted, job, at=at)
            admit_imported(resource.newcomers, job, at=at)
        unreadable = [Verdict(row.number, Outcome.INVALID, row.problem) for row in batch if row.entry is None]
        verdicts = [*resource.verdicts, *unreadable, *_doubts(batch, resource.verdicts)]
        verdicts.sort(key=lambda verdict: verdict.line)
        _write_down(job, verdicts, resource.tags)
        job.done += len(batch)
        job.rate, job.attempts, job.lease_until = self.job.rate, 0, at + ImportJob.LEASE
        job.save()
        return job

    def _pause(self) -> None:
        with transaction.atomic():
            job = _locked(self.job)
            job.lease_until = None
            job.save(update_fields=["lease_until"])

    def _end(self) -> None:
        at = self.clock()
        with transaction.atomic():
            job = _locked(self.job)
            if job.state == ImportJob.State.IMPORTING:
                jobs.finish(job, ImportJob.State.DONE, at=at)
            else:
                job.state, job.forecast, job.lease_until = ImportJob.State.READY, job.counts, None
                job.save()
        log.info("import_looked_through" if job.state == "ready" else "import_done", job=job.pk, **job.counts)
        if job.state == ImportJob.State.DONE:
            jobs.discard_file(job)


def _describe(job: ImportJob, sheet: Sheet, total: int) -> None:
    described = {"total": total, "format": sheet.format.name, "encoding": TOLD[sheet.encoding]}
    if not ImportJob.objects.filter(pk=job.pk, epoch=job.epoch).update(**described):
        raise SupersededError


def _write_down(job: ImportJob, verdicts: list[Verdict], tags: list[tuple[str, str]]) -> None:
    tally = Tally(job.counts, job.examples, job.tags)
    for verdict in verdicts:
        tally.add(verdict)
    for tag, slug in tags:
        tally.add_tag(tag, slug)
    ImportProblem.objects.bulk_create(
        ImportProblem(job=job, line=verdict.line, outcome=verdict.outcome, reason=verdict.reason)
        for verdict in verdicts
        if verdict.outcome not in UNREMARKABLE
    )


def _doubts(batch: list[Line], verdicts: list[Verdict]) -> Iterator[Verdict]:
    """Yield a second verdict on each new reader whose row says something that we leave out."""
    newcomers = {verdict.line: verdict.address for verdict in verdicts if verdict.outcome is Outcome.NEW}
    for row in batch:
        if row.entry and row.entry.doubts and row.number in newcomers:
            reason = " ".join(row.entry.doubts)
            yield Verdict(row.number, Outcome.DOUBTED, reason, newcomers[row.number])


def _batches(rows: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _dataset(batch: list[Line]) -> tablib.Dataset:
    """Return the entries of a batch as the table that import-export walks."""
    data = tablib.Dataset(headers=HEADERS)
    for row in batch:
        if row.entry:
            data.append(_cells(row.number, row.entry))
    return data


def _cells(line: int, entry: Entry) -> tuple[object, ...]:
    return (
        line,
        entry.address,
        entry.standing,
        entry.tags,
        entry.words,
        entry.time_zone,
        entry.frequency,
        entry.agreed_at,
    )
