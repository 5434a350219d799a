"""The edition that somebody is needed for: what is done, what is left to do, and where it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest

from digest import editions, schedule
from digest.admin import ways
from digest.admin.dashboard.moments import clock_time, span
from digest.delivery import balance
from digest.models import Appearance, Decision, Edition, EditionFigures
from digest.rendering import opening

_State = Edition.State
#: Editions of other days that something is left to do for.
_UNDER_WAY = (_State.FROZEN, _State.APPROVED, _State.SENDING, _State.PAUSED)
_MOST_OTHERS = 5
#: Nothing is left to do for these.
_OVER = (_State.SENT, _State.EMPTY, _State.CANCELLED, _State.EXPIRED)
#: Decisions that shape nothing.
_OF_THE_SENDING = (
    Decision.Kind.APPROVED,
    Decision.Kind.PAUSED,
    Decision.Kind.RESUMED,
    Decision.Kind.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist; `state` is done, now, later or off."""

    label: str
    state: str
    detail: str = ""
    url: str = ""


def todays_edition(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """Return the edition of today, or one that waits to be shaped once today's is over, with its checklist.

    And others under way.
    """
    day = editions.edition_day(at)
    found = _leading(day)
    others = Edition.objects.filter(Q(state__in=_UNDER_WAY) | Q(day=day))
    if found is not None:
        others = others.exclude(pk=found.pk)
    shown: dict[str, Any] = {
        "day": found.day if found else day,
        "edition": found,
        "others": [_other(request, other) for other in others.order_by("-day")[:_MOST_OTHERS]],
    }
    if found is None:
        return shown
    return shown | {
        "url": ways.page(request, found, "digest_edition_change"),
        "note": _note(found),
        "steps": [make(request, found, at) for make in _STEPS],
        "progress": _progress(found),
        "sending": ways.page(request, found, "edition_sending"),
        "missing": opening.missing(found.missing_sources) if found.state != _State.OPEN else "",
    }


def _leading(day: date) -> Edition | None:
    kept = Edition.objects.select_related("figures")
    today = kept.filter(day=day).first()
    if today is not None and today.state not in _OVER:
        return today
    return kept.filter(state=_State.FROZEN).order_by("day").first() or today


def _other(request: HttpRequest, edition: Edition) -> dict[str, Any]:
    """Return an edition of another day, what it waits for, and the way there."""
    shape = edition.state == _State.FROZEN
    return {
        "edition": edition,
        "url": ways.page(request, edition, "digest_edition_change" if shape else "edition_sending"),
        "told": f"{edition.candidate_count:,} papers to be shaped" if shape else edition.pause_reason,
    }


def _note(edition: Edition) -> tuple[str, str] | None:
    """Return (tone, sentence) about an edition that does not go its usual way."""
    if edition.state == _State.PAUSED:
        return "bad", f"Paused. {edition.pause_reason or 'Nobody wrote down why.'}"
    if edition.state == _State.EMPTY:
        return "plain", "Nothing new came in, so nobody gets a mail. Its day is done."
    if edition.state == _State.CANCELLED:
        return "warn", "Cancelled. What had left is with its readers; the rest will not leave."
    if edition.state == _State.EXPIRED:
        return "warn", "Nobody approved it in time. Its papers come in the next edition."
    return None


def _collect(_request: HttpRequest, edition: Edition, at: datetime) -> Step:
    if edition.frozen_at is not None:
        many = f"{edition.candidate_count:,} {'paper' if edition.candidate_count == 1 else 'papers'}"
        return Step("Papers collected", "done", f"{many}, frozen at {clock_time(edition.frozen_at, now=at)}")
    due = editions.freeze_moment(edition.day)
    waiting = Appearance.objects.filter(
        edition=None, day__gt=edition.day - editions.REACH_DAYS * schedule.DAY, day__lte=edition.day
    ).count()
    when = f"freezes at {clock_time(due, now=at)}, in {span(due - at)}"
    if at >= due:
        when = f"was to freeze at {clock_time(due, now=at)}: it waits for a source, two hours at most"
    return Step("Collect papers", "now", f"{waiting:,} so far; {when}")


def _shape(request: HttpRequest, edition: Edition, _at: datetime) -> Step:
    url = ways.page(request, edition, "digest_edition_change")
    state = _at_the_desk(edition)
    if state in {"later", "off"}:
        return Step("Shape it", state)
    label = "Shaped" if state == "done" else "Shape it"
    many = Decision.objects.filter(edition=edition).exclude(kind__in=_OF_THE_SENDING).count()
    told = f"{many:,} {'decision' if many == 1 else 'decisions'}" if many else "as it was ranked"
    return Step(label, state, told, url)


def _preview(request: HttpRequest, edition: Edition, _at: datetime) -> Step:
    state = _at_the_desk(edition)
    url = "" if state in {"later", "off"} else ways.page(request, edition, "edition_preview")
    return Step("Look at the mail", state, url=url)


def _approve(request: HttpRequest, edition: Edition, at: datetime) -> Step:
    url = ways.page(request, edition, "edition_sending")
    if edition.approved_at is not None:
        return Step("Approved", "done", f"at {clock_time(edition.approved_at, now=at)}", url)
    if edition.state == _State.FROZEN:
        until = editions.freeze_moment(edition.day) + editions.WINDOW
        waits = f"it waits for a curator, until {clock_time(until, now=at)} at most"
        return Step(
            "Approve it", "now", waits if settings.EDITION_REQUIRES_APPROVAL else _clock(edition, at), url
        )
    return Step("Approve it", _before_or_off(edition))


def _clock(edition: Edition, at: datetime) -> str:
    """Return when the clock approves a frozen edition: not before its day."""
    early = edition.day > editions.edition_day(at)
    return "the clock does, once its day has come" if early else "the clock does, within a minute"


def _send(request: HttpRequest, edition: Edition, at: datetime) -> Step:
    if edition.state == _State.SENT and edition.closed_at is not None:
        return Step(
            "Sent",
            "done",
            f"{edition.enrolled:,} digests, the last at {clock_time(edition.closed_at, now=at)}",
            ways.page(request, edition, "edition_report"),
        )
    url = ways.page(request, edition, "edition_sending")
    if edition.state in {_State.APPROVED, _State.SENDING}:
        return Step("Sending", "now", f"{edition.enrolled:,} digests, each at its reader’s hour", url)
    if edition.state == _State.PAUSED:
        return Step("Sending", "now", "paused: resume or cancel it", url)
    return Step("Send it", _before_or_off(edition))


_STEPS: tuple[Callable[[HttpRequest, Edition, datetime], Step], ...] = (
    _collect,
    _shape,
    _preview,
    _approve,
    _send,
)


def _at_the_desk(edition: Edition) -> str:
    """Say whether curators are at it: it has papers, and has not left yet."""
    if edition.approved_at is not None:
        return "done"
    return "now" if edition.state == _State.FROZEN else _before_or_off(edition)


def _before_or_off(edition: Edition) -> str:
    return "later" if edition.state in {_State.OPEN, _State.FROZEN} else "off"


def _progress(edition: Edition) -> dict[str, Any] | None:
    """Return how far the sending is, at the last count."""
    if edition.state not in {_State.SENDING, _State.APPROVED, _State.PAUSED}:
        return None
    figures: EditionFigures | None = getattr(edition, "figures", None)
    if figures is None or not figures.enrolled:
        return None
    account = balance.kept(figures)
    done = account.enrolled - account.open
    return {"done": done, "of": account.enrolled, "percent": 100 * done // account.enrolled, "at": figures.at}
