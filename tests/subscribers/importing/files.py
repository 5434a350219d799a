"""Files of readers, and what becomes of them."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count

from subscribers.importing import jobs, running
from subscribers.models import ImportJob, Subscriber
from tests.cast import NOON

CONSENT = "Signed up on the reading group's old site between 2022 and 2025, confirmed by mail."
MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,NOTES,TAGS'
)
_serial = count(1)


def noon() -> datetime:
    """Return NOON: a clock that stands still."""
    return NOON


def a_job(
    content: str | bytes,
    *,
    state: ImportJob.State = ImportJob.State.IMPORTING,
    format: str = "",  # noqa: A002 - as the product calls it
    at: datetime = NOON,
) -> ImportJob:
    """Return an import of a file that holds `content`."""
    data = content.encode() if isinstance(content, str) else content
    return jobs.open_job(
        [data], name=f"file{next(_serial)}.csv", consent_source=CONSENT, state=state, at=at, format=format
    )


def imported(content: str | bytes) -> ImportJob:
    """Import a file to its end and return the job."""
    return running.run(a_job(content).pk, clock=noon)


def looked_through(content: str | bytes) -> ImportJob:
    """Run a file dry and return the job."""
    return running.run(a_job(content, state=ImportJob.State.CHECKING).pk, clock=noon)


def plain(*addresses: str) -> str:
    """Return a plain file of addresses."""
    return "\n".join(["email", *addresses]) + "\n"


def here() -> set[str]:
    """Return the addresses of all active readers."""
    active = Subscriber.objects.filter(status=Subscriber.Status.ACTIVE)
    return set(active.values_list("address", flat=True))


def told(job: ImportJob) -> list[tuple[int, str]]:
    """Return (line, outcome) of each problem."""
    return list(job.problems.values_list("line", "outcome"))


def many(number: int, *, start: int = 0) -> Sequence[str]:
    """Return addresses."""
    return [f"reader{index}@example.org" for index in range(start, start + number)]
