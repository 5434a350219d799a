"""What the clock does each minute: rows decide what is due, so a missed or doubled tick changes nothing."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError

from digest import coverage, editions, enrolling, schedule
from digest.models import Edition

log = structlog.get_logger(__name__)


def advance(*, at: datetime) -> None:
    """Bring every edition as far as it can go at `at`, and give new readers their welcome.

    A step that fails is logged and costs no other edition its own.
    """
    today = _open_what_is_due(at)
    for state, step in (
        (Edition.State.OPEN, _freeze_or_give_up),
        (Edition.State.FROZEN, _approve_or_give_up),
        (Edition.State.APPROVED, enrolling.enroll),
        (Edition.State.SENDING, editions.close),
    ):
        for edition in Edition.objects.filter(state=state, day__lte=today.day).order_by("day"):
            _take(step, edition, at)
    _take(lambda _edition, *, at: enrolling.welcome(at=at), today, at)


def _open_what_is_due(at: datetime) -> Edition:
    """Open today's edition and return it; also yesterday's, if its hour has just come while all was down."""
    day = editions.edition_day(at)
    yesterday = day - schedule.DAY
    if at < editions.freeze_moment(yesterday) + schedule.LATEST and Edition.objects.before(day).exists():
        editions.open_edition(yesterday, at=at)
    return editions.open_edition(day, at=at)


def _take(step: Callable[..., object], edition: Edition, at: datetime) -> None:
    try:
        step(edition, at=at)
    except editions.EditionError as error:
        log.warning("step_not_taken", day=str(edition.day), why=str(error))
    except DatabaseError:
        log.exception("step_failed", day=str(edition.day))


def _freeze_or_give_up(edition: Edition, *, at: datetime) -> None:
    """Freeze an open edition whose hour has come, once its sources have answered or time is up.

    Days missed while everything was down are given up: the next edition takes their papers, so that a reader
    gets one digest, not many. A back issue opened by hand is left to the hand that opened it.
    """
    due = editions.freeze_moment(edition.day)
    in_time = edition.day == editions.edition_day(at) or at < due + schedule.LATEST
    if at < due:
        return
    if not in_time:
        if at >= max(due, edition.opened_at) + editions.WINDOW:
            editions.give_up(edition, at=at)
        return
    missing = coverage.missing(edition, settings.SOURCES, at=at)
    if missing and coverage.is_waited_for(edition, at=at):
        log.warning("edition_waits_for_sources", day=str(edition.day), missing=missing)
        return
    editions.freeze(edition, at=at, missing=missing)


def _approve_or_give_up(edition: Edition, *, at: datetime) -> None:
    """Approve a frozen edition where no curator has to; give up one whose approval never came.

    A back issue, frozen by hand long after its day, is approved by hand, and has its window from its freeze.
    """
    due = editions.freeze_moment(edition.day)
    if at >= max(due, edition.frozen_at or at) + editions.WINDOW:
        editions.give_up(edition, at=at)
    elif not settings.EDITION_REQUIRES_APPROVAL and at < due + editions.WINDOW:
        editions.approve(edition, at=at)
