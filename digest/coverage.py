"""Whether the sources answered for an edition, read from the receipts of ingestion."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from digest import editions, schedule
from digest.ingestion import BY_ID
from digest.models import Edition, IngestRun

#: How long after its hour an edition waits for a source that has not answered; then it goes without.
PATIENCE = timedelta(hours=2)
#: After a silence of our own, nobody having asked for so long, the two hours begin with the first question.
SILENCE = timedelta(hours=1)
#: But from so long after its hour on an edition waits no more.
AT_MOST = timedelta(hours=8)

ANSWERED = (IngestRun.State.COMPLETE, IngestRun.State.QUIET)


def missing(edition: Edition, sources: Sequence[str], *, at: datetime) -> list[str]:
    """Return which of `sources` were not asked in the last 24 hours before `edition`, or are failing still.

    A category that failed and answered later has answered. An answer with nothing in it is an answer.
    """
    since = editions.freeze_moment(edition.day) - schedule.DAY
    runs = IngestRun.objects.filter(
        source__in=sources, started_at__gte=since, started_at__lte=at, day__gte=edition.day - schedule.DAY
    ).exclude(category=BY_ID)
    latest: dict[tuple[str, str, object], str] = {}
    for run in runs.exclude(state=IngestRun.State.RUNNING).order_by("started_at", "pk"):
        latest[run.source, run.category, run.day] = run.state
    answered = {source for (source, _category, _day), state in latest.items() if state in ANSWERED}
    failing = {source for (source, _category, _day), state in latest.items() if state not in ANSWERED}
    return [source for source in sources if source in failing or source not in answered]


def is_waited_for(edition: Edition, *, at: datetime) -> bool:
    """Say whether an edition whose hour has come still waits for sources that are missing at `at`.

    When everything was down across its hour, nothing has come in: sources are asked again in these minutes.
    """
    due = editions.freeze_moment(edition.day)
    if at < due + PATIENCE:
        return True
    began = at - PATIENCE
    long_since = IngestRun.objects.filter(started_at__gte=began - SILENCE, started_at__lte=began)
    return at < due + AT_MOST and not long_since.exclude(category=BY_ID).exists()


def failing(edition: Edition, sources: Sequence[str], *, at: datetime) -> list[str]:
    """Return which of `sources` failed for `edition`; what was never asked is not a failure."""
    asked = set(
        IngestRun.objects.filter(source__in=sources, day=edition.day, started_at__lte=at).values_list(
            "source", flat=True
        )
    )
    return [source for source in missing(edition, sources, at=at) if source in asked]
