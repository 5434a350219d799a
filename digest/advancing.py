"""What the clock does each minute: rows decide what is due, so a missed or doubled tick changes nothing."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db.models import Count

from digest import coverage, editions, enrolling
from digest.models import Delivery, Edition

log = structlog.get_logger(__name__)


def advance(*, at: datetime) -> None:
    """Bring every edition as far as it can go at `at`, and give new readers their welcome."""
    today = editions.open_edition(editions.edition_day(at), at=at)
    _expire_stale(today, at)
    if today.state == Edition.State.OPEN and editions.freeze_moment(today.day) <= at:
        _freeze_when_sources_answered(today, at)
    if not settings.EDITION_REQUIRES_APPROVAL:
        for edition in Edition.objects.filter(state=Edition.State.FROZEN).order_by("day"):
            editions.approve(edition, at=at)
    for edition in Edition.objects.filter(state=Edition.State.APPROVED).order_by("day"):
        enrolling.enroll(edition, at=at)
    for edition in Edition.objects.filter(state=Edition.State.SENDING).order_by("day"):
        editions.close(edition, at=at)
    enrolling.welcome(at=at)


def _freeze_when_sources_answered(edition: Edition, at: datetime) -> None:
    """Freeze, unless a source has not answered and there is still time to wait for it."""
    missing = coverage.missing(edition, settings.SOURCES, at=at)
    if missing and at < editions.freeze_moment(edition.day) + coverage.PATIENCE:
        log.warning("edition_waits_for_sources", day=str(edition.day), missing=missing)
        return
    editions.freeze(edition, at=at, missing=missing)


def _expire_stale(today: Edition, at: datetime) -> None:
    """Give up editions nobody can get any more: days missed while down, approvals that never came.

    Their papers are taken by the next edition, so after days of downtime a reader gets one digest, not many.
    """
    for edition in Edition.objects.filter(state=Edition.State.OPEN, day__lt=today.day):
        editions.give_up(edition, at=at)
    for edition in Edition.objects.filter(state=Edition.State.FROZEN):
        # A back issue, frozen by hand long after its day, has its window from then on.
        begun = max(editions.freeze_moment(edition.day), edition.frozen_at or at)
        if at >= begun + editions.WINDOW:
            editions.give_up(edition, at=at)


def due_count(*, at: datetime) -> int:
    """Return how many deliveries a worker could claim at `at`."""
    return Delivery.objects.due(at).aggregate(count=Count("pk"))["count"] or 0
