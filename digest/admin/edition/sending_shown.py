"""What the page of an edition's sending says: plain values made from the kept figures, never a count."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from digest import progress, schedule
from digest.admin import ways
from digest.admin.edition import pace_shown
from digest.delivery import balance
from digest.models import Delivery, Edition, EditionFigures

State = Delivery.State

#: (name, label, its states, the kind of its part of the bar), in the order of the balance.
GROUPS = (
    ("accepted", "Accepted by the mail server", (State.ACCEPTED,), "good"),
    ("rejected", "Rejected", (State.REJECTED,), "bad"),
    ("unknown", "Unknown: may have arrived", (State.UNKNOWN,), "warn"),
    ("skipped", "Skipped", Delivery.SKIPPED, "faint"),
    ("expired", "Expired: their hour was over", (State.EXPIRED,), "faint"),
    ("cancelled", "Cancelled", (State.CANCELLED,), "faint"),
    ("open", "Open: still to go", (*Delivery.WAITING, State.SUBMITTING), "rest"),
)
REASONS = {
    State.SKIPPED_UNSUBSCRIBED: "unsubscribed meanwhile",
    State.SKIPPED_SUPPRESSED: "on the suppression list",
    State.SKIPPED_PAUSED: "on a break",
    State.SKIPPED_EMPTY: "no paper for them",
    State.READY: "wait for their turn",
    State.CLAIMED: "being made",
    State.DEFERRED: "put off, by the mail server or by the pace",
    State.SUBMITTING: "on the wire",
}
FACTS = {
    "delivered": "confirmed in the mailbox",
    "bounced": "bounced for good",
    "soft_bounced": "bounced for now",
    "complained": "reported as spam",
    "left": "unsubscribed by it",
}
#: After so long without a count something is wrong with the workers.
OLD = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Line:
    """How many deliveries stand where, and the way to them."""

    name: str
    label: str
    count: int
    share: str
    link: str
    kind: str = ""
    parts: tuple["Line", ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bar, in thousandths of its length."""

    kind: str
    start: float
    width: float


def shown(request: HttpRequest, edition: Edition, at: datetime) -> dict[str, Any]:
    """Return what the progress of `edition` shows at `at` to whoever asks."""
    figures = progress.figures(edition)
    looked: dict[str, Any] = {"figures": figures, "moves": is_moving(edition, figures)}
    if figures is None:
        return looked
    account = balance.kept(figures)
    lines = _lines(request, edition, figures)
    over = account.enrolled - account.open
    return looked | {
        "account": account,
        "lines": lines,
        "facts": [(label, figures.facts[name]) for name, label in FACTS.items() if figures.facts.get(name)],
        "bar": _bar(lines, figures.enrolled),
        "percent": _share(over, account.enrolled),
        "over": over,
        "rate": round(figures.rate * 60),
        "outlook": outlook(edition, figures, account, at),
        "pace": pace_shown.told(account.open, at) if looked["moves"] else [],
        "refusals": _refusals(figures),
        "age": age(at - figures.at),
        "old": looked["moves"]
        and at - figures.at > max(OLD, 2 * progress.REST * timedelta(seconds=figures.took)),
        "ending": edition.state == Edition.State.CANCELLED and account.open > 0,
    }


def is_moving(edition: Edition, figures: EditionFigures | None) -> bool:
    """Say whether the figures of `edition` may change by themselves while somebody looks on."""
    if edition.state in progress.MOVING:
        return True
    if figures is None or edition.closed_at is None:
        return False
    return figures.at <= edition.closed_at or balance.kept(figures).open > 0


def _lines(request: HttpRequest, edition: Edition, figures: EditionFigures) -> list[Line]:
    def line(name: str, label: str, states: tuple[str, ...], kind: str = "", *parts: Line) -> Line:
        count = sum(figures.states.get(state, 0) for state in states)
        link = ways.deliveries(request, edition, states)
        return Line(name, label, count, _share(count, figures.enrolled), link, kind, parts)

    return [
        line(
            name,
            label,
            states,
            kind,
            *(
                line(state, REASONS[state], (state,))
                for state in states
                if figures.states.get(state) and state in REASONS
            ),
        )
        for name, label, states, kind in GROUPS
    ]


def _share(count: int, whole: int) -> str:
    """Return the part of the whole; what is there is never shown as nothing, nor what lacks as all."""
    if not whole or not count:
        return "0 %"
    percent = 100 * count / whole
    if percent < 0.1:
        return "< 0.1 %"
    if count < whole and percent > 99.9:
        return "> 99.9 %"
    return f"{percent:.1f} %" if count < whole else "100 %"


def _bar(lines: list[Line], whole: int) -> list[Part]:
    parts, start = [], 0.0
    for line in lines:
        width = 1000 * line.count / whole if whole else 0.0
        parts.append(Part(line.kind, round(start, 2), round(width, 2)))
        start += width
    return [part for part in parts if part.width]


def outlook(edition: Edition, figures: EditionFigures, account: balance.Balance, at: datetime) -> list[str]:
    """Return sentences on how long it will take, and what decides that."""
    if edition.state == Edition.State.CANCELLED:
        return (
            [f"Ending: {account.open:,} rows are being closed, a few thousand at a time."]
            if account.open
            else []
        )
    if not account.open:
        return []
    said = [_now(edition, figures), *_later(figures, at)]
    return [sentence for sentence in said if sentence]


def _now(edition: Edition, figures: EditionFigures) -> str:
    due = _due(figures)
    if not figures.due:
        return (
            "Nobody is due at the moment: readers’ local hours decide, not the rate."
            if figures.next_at
            else ""
        )
    if edition.state == Edition.State.PAUSED:
        return f"Paused: {due} due now and wait."
    if figures.rate <= 0:
        return f"{due} due now. Workers begin within a minute."
    return f"{due} due now: {time_left(figures.due / figures.rate)} left for these at the rate of late."


def _due(figures: EditionFigures) -> str:
    if figures.due == 1:
        return "1 reader is"
    more = " or more" if figures.due >= progress.MOST_DUE else ""
    return f"{figures.due:,}{more} readers are"


def _later(figures: EditionFigures, at: datetime) -> list[str]:
    if figures.next_at is None:
        return []
    many = "1 reader is" if figures.next_count == 1 else f"{figures.next_count:,} readers are"
    said = [f"Next: {many} due at {clock(figures.next_at, at)}."]
    if figures.last_at is not None and figures.last_at > figures.next_at:
        said.append(f"The last hour is {clock(figures.last_at, at)}.")
    return said


def clock(moment: datetime, at: datetime) -> str:
    """Return "18:00 UTC", with the day where it is not that of `at`."""
    day = "" if moment.date() == at.date() else f" on {moment:%A} {moment.day} {moment:%B}"
    return f"{moment:%H:%M} UTC{day}"


def time_left(seconds: float) -> str:
    """Return a time to wait in words."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {round(minutes / 60)} h"


def age(passed: timedelta) -> str:
    """Return how long ago something was, in words."""
    seconds = max(round(passed.total_seconds()), 0)
    if seconds < 2:
        return "now"
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            many = seconds // size
            return f"{many} {unit}{'' if many == 1 else 's'} ago"
    return "now"


def _refusals(figures: EditionFigures) -> list[dict[str, object]]:
    return [
        {
            "what": "put off" if state == State.DEFERRED else "rejected",
            "detail": detail,
            "count": count,
            "latest": datetime.fromisoformat(latest) if latest else None,
        }
        for state, detail, count, latest in figures.refusals
    ]


def hour(at: datetime, zone: str) -> str:
    """Return "Wednesday 4 March, 07:00 in Asia/Tokyo (22:00 UTC)"."""
    local = at.astimezone(schedule.clock(zone))
    said = f"{local:%A} {local.day} {local:%B}, {local:%H:%M} in {zone.replace('_', ' ')}"
    return said if zone == "UTC" else f"{said} ({clock(at, local)})"
