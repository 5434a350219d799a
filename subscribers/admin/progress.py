"""What the page of an import shows: how far it is, what became of the rows, and which tags are topics."""

from typing import Any

from subscribers.addresses import masked
from subscribers.importing.outcomes import Outcome
from subscribers.models import ImportJob


def job_page(job: ImportJob, *, sees_addresses: bool) -> dict[str, Any]:
    """Return the page's context; the examples' addresses are whole only for who may see readers."""
    percent = 100 * job.done // job.total if job.total else 0
    return {
        "job": job,
        "under_way": job.state in ImportJob.UNDER_WAY,
        "ready": job.state == ImportJob.State.READY,
        "stoppable": job.state in (*ImportJob.UNDER_WAY, ImportJob.State.READY),
        "percent": percent,
        "share": f"{percent} %",
        "facts": _facts(job),
        "left": time_left(job),
        "would": job.state in (ImportJob.State.CHECKING, ImportJob.State.READY),
        "new": job.counts.get(Outcome.NEW.value, 0),
        "bounced": job.counts.get(Outcome.BOUNCED.value, 0),
        "outcomes": _outcomes(job),
        "topics": _topics(job),
        "examples": _examples(job, sees_addresses=sees_addresses),
        "problems": job.problems.count(),
    }


def time_left(job: ImportJob) -> str:
    """Return how long it will take at the rate of late, in words."""
    if not job.rate or job.done >= job.total:
        return ""
    seconds = (job.total - job.done) / job.rate
    if seconds < 60:
        return "less than a minute"
    return f"about {round(seconds / 60)} min"


def _facts(job: ImportJob) -> list[list[str]]:
    uploaded = f"{job.created_at:%Y-%m-%d %H:%M} UTC" + (f" by {job.created_by}" if job.created_by else "")
    return [
        ["Format", job.get_format_display() if job.format else "not known yet"],
        ["Encoding", job.encoding or "not known yet"],
        ["Consent", job.consent_source],
        ["Uploaded", uploaded],
    ]


def _outcomes(job: ImportJob) -> dict[str, Any]:
    rows = [[Outcome(name).label, f"{job.counts[name]:,}"] for name in Outcome.values if name in job.counts]
    if job.forecast and job.forecast != job.counts:
        for row, name in zip(rows, (name for name in Outcome.values if name in job.counts), strict=True):
            row.append(f"{job.forecast.get(name, 0):,}")
        return {"headers": ["What becomes of the rows", "Rows so far", "The dry run said"], "rows": rows}
    return {"headers": ["What becomes of the rows", "Rows"], "rows": rows}


def _topics(job: ImportJob) -> dict[str, Any]:
    tags = sorted(job.tags.items(), key=lambda item: (-item[1][0], item[0]))
    rows = [[tag, f"{readers:,}", slug or "none of ours: passed over"] for tag, (readers, slug) in tags]
    return {"headers": ["Tag in the file", "New readers", "Topic"], "rows": rows}


def _examples(job: ImportJob, *, sees_addresses: bool) -> list[dict[str, Any]]:
    """Return a table for each outcome, with reasons where there are any; they hold no addresses."""
    tables = []
    for name in (name for name in Outcome.values if name in job.examples):
        found = job.examples[name]
        shown = [[line, who if sees_addresses else _hidden(who), reason] for line, who, reason in found]
        reasoned = any(reason for *_, reason in found)
        headers = ["Line", "Address", "Reason"] if reasoned else ["Line", "Address"]
        total = job.counts.get(name, 0)
        many = f"the first {len(found)} of {total:,}" if total > len(found) else f"{total:,}"
        table = {"headers": headers, "rows": [row[: len(headers)] for row in shown]}
        tables.append({"title": f"{Outcome(name).label}: {many}", "table": table})
    return tables


def _hidden(text: str) -> str:
    return masked(text) if text.find("@") > 0 else "hidden" if text else ""
