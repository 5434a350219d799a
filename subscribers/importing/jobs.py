"""An import's way from upload to end. `running` does what lies between; both write the job's state."""

import hashlib
import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from subscribers.models import ImportJob

#: A million readers with their topics; more is another kind of job.
LARGEST = 200 * 1024 * 1024
#: A file of people's addresses waits no longer than that.
KEPT_FOR = timedelta(days=7)

SHORTEST_STATEMENT, LONGEST_STATEMENT = 10, 500


class ImportJobError(ValueError):
    """This cannot be done with this import; `str()` says why."""


def folder() -> Path:
    """Return where the files lie, made for our eyes only."""
    place: Path = settings.DATA_DIR / "imports"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def path_of(job: ImportJob) -> Path:
    """Return where the job's file lies."""
    return folder() / job.stored_as


def open_job(
    chunks: Iterable[bytes],
    *,
    name: str,
    consent_source: str,
    state: ImportJob.State,
    at: datetime,
    format: str = "",  # noqa: A002 - what the command and the form call it, too
    by: Any = None,  # noqa: ANN401 - whatever AUTH_USER_MODEL is
) -> ImportJob:
    """Keep the file made of `chunks`, readable by us alone, and a job in `state` (checking or importing).

    Raises ImportJobError for a file too large or without a statement of consent."""
    statement = statement_of(consent_source)
    stored_as = f"{secrets.token_hex(12)}.csv"
    place = folder() / stored_as
    try:
        digest = _write(place, chunks)
        return ImportJob.objects.create(
            state=state,
            format=format,
            consent_source=statement,
            name=Path(name).name[:200],
            stored_as=stored_as,
            digest=digest,
            created_by=by,
            created_at=at,
        )
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def statement_of(consent_source: str) -> str:
    """Return the statement in one line. Raises ImportJobError if it is too short to prove a thing."""
    statement = " ".join(consent_source.split())
    if not SHORTEST_STATEMENT <= len(statement) <= LONGEST_STATEMENT:
        raise ImportJobError(
            "Say in a sentence where and when these readers agreed to get mail from this list, such as: "
            "“Signed up on example.org between 2022 and 2025, confirmed by mail.” It is kept as the proof, "
            f"in {LONGEST_STATEMENT} characters at most."
        )
    return statement


def _write(place: Path, chunks: Iterable[bytes]) -> str:
    sha, size = hashlib.sha256(), 0
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > LARGEST:
                raise ImportJobError(
                    f"The file is larger than {LARGEST >> 20} MB. Split it, and import the parts."
                )
            sha.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())  # the job's row must not outlive it
    return sha.hexdigest()


def confirm(pk: int) -> ImportJob:
    """Let a looked-through file in. Raises ImportJobError."""
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().get(pk=pk)
        if job.state != ImportJob.State.READY:
            raise ImportJobError(
                f"This import is {job.get_state_display().lower()}; there is nothing to confirm."
            )
        job.state, job.done, job.attempts, job.lease_until = ImportJob.State.IMPORTING, 0, 0, None
        job.counts, job.examples, job.tags = {}, {}, {}
        job.problems.all().delete()
        job.save()
    return job


def cancel(pk: int, *, at: datetime) -> ImportJob:
    """Stop; who has come in already stays. Raises ImportJobError if it is over."""
    with transaction.atomic():
        job = ImportJob.objects.select_for_update().get(pk=pk)
        if job.state not in (*ImportJob.UNDER_WAY, ImportJob.State.READY):
            raise ImportJobError(f"This import is {job.get_state_display().lower()} already.")
        finish(job, ImportJob.State.CANCELLED, at=at)
    discard_file(job)
    return job


def finish(job: ImportJob, state: ImportJob.State, *, at: datetime, problem: str = "") -> None:
    """End the job; after the commit, `discard_file`. The addresses among its examples go now."""
    job.state, job.finished_at, job.problem = state, at, problem[:500]
    job.lease_until, job.examples = None, {}
    job.save()


def discard_file(job: ImportJob) -> None:
    """Delete the file of a job that is over; done twice it is no error."""
    if job.stored_as:
        path_of(job).unlink(missing_ok=True)


def discard_old(at: datetime) -> int:
    """Cancel what nobody finished within KEPT_FOR, delete files without a use; return how many orphans."""
    stale = ImportJob.objects.filter(created_at__lt=at - KEPT_FOR)
    for pk in stale.filter(state__in=(*ImportJob.UNDER_WAY, ImportJob.State.READY)).values_list(
        "pk", flat=True
    ):
        cancel(pk, at=at)
    live = ImportJob.objects.filter(state__in=(*ImportJob.UNDER_WAY, ImportJob.State.READY))
    used = set(live.values_list("stored_as", flat=True))
    # A process killed between the file and its row leaves a file; one of this hour may still get its row.
    old = (at - timedelta(hours=1)).timestamp()
    orphans = [
        path for path in folder().glob("*.csv") if path.name not in used and path.stat().st_mtime < old
    ]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)
