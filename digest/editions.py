"""An edition's life: open, frozen, approved, enrolled and sending, sent. Sole writer of Edition.state.

Every step is safe to repeat and to run from several processes: it locks the edition's row and looks again.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from digest import schedule, terms
from digest.models import Appearance, Candidate, Delivery, Edition

log = structlog.get_logger(__name__)

#: How far back an edition reaches for papers that are in none yet, and how far the very first one does.
REACH_DAYS = 14
FIRST_REACH_DAYS = 3
#: After this long past its freeze no reader's hour for an edition is left anywhere.
WINDOW = schedule.DAY + schedule.LATEST

#: States of an edition that something may still leave of.
MISSABLE = (
    Edition.State.OPEN,
    Edition.State.FROZEN,
    Edition.State.APPROVED,
    Edition.State.SENDING,
    Edition.State.PAUSED,
)


class EditionError(Exception):
    """A step that this edition cannot take now; the text says why and what to do."""


def freeze_moment(day: date) -> datetime:
    """Return the UTC moment at which the edition of `day` is due to freeze."""
    return freeze_rule().of(day)


def freeze_rule() -> schedule.Freeze:
    """Return at what hour of which clock editions freeze."""
    return schedule.Freeze(settings.EDITION_HOUR * 60, settings.EDITION_ZONE)


def edition_day(at: datetime) -> date:
    """Return the day of the edition that `at` belongs to."""
    return schedule.local_date(at, settings.EDITION_ZONE)


def open_edition(day: date, *, at: datetime) -> Edition:
    """Return the edition of `day`, opening it if there is none."""
    return Edition.objects.get_or_create(day=day, defaults={"opened_at": at})[0]


def locked(edition: Edition) -> Edition:
    """Return the edition's row as it is now, locked until the transaction ends."""
    return Edition.objects.select_for_update().get(pk=edition.pk)


def move(edition: Edition, to: str, *, allowed: Iterable[str], **fields: object) -> None:
    """Write the state `to` on a locked `edition` whose state is one of `allowed`; else raise EditionError."""
    if edition.state not in set(allowed):
        raise EditionError(f"The edition of {edition.day} is {edition.state}; it cannot become {to}.")
    edition.state = to
    for name, value in fields.items():
        setattr(edition, name, value)
    edition.save(update_fields=["state", *fields])
    log.info("edition_moved", day=str(edition.day), state=to)


def freeze(edition: Edition, *, at: datetime, missing: Iterable[str] = (), by_hand: bool = False) -> Edition:
    """Fix the candidates of an open edition and return it, frozen, or empty if there are none.

    `missing` names the sources that failed and that the mail will own up to. A hand may freeze an empty
    edition anew, for papers that came after its freeze; the clock leaves them to the next edition.
    """
    freezable = {Edition.State.OPEN, Edition.State.EMPTY} if by_hand else {Edition.State.OPEN}
    if edition.state not in freezable:
        raise EditionError(f"The edition of {edition.day} is {edition.state} already; its papers are fixed.")
    # The words of the last 60 days do not depend on the candidates: reckoned before anything is locked.
    terms.compute(edition)
    with transaction.atomic():
        edition = locked(edition)
        appearances = _unclaimed(edition)
        candidates = _candidates(edition, appearances)
        Candidate.objects.bulk_create(candidates, batch_size=500)
        Appearance.objects.filter(pk__in=[a.pk for a in appearances]).update(edition=edition)
        state = Edition.State.FROZEN if candidates else Edition.State.EMPTY
        move(
            edition,
            state,
            allowed=freezable,
            frozen_at=at,
            candidate_count=len(candidates),
            missing_sources=sorted(missing),
        )
    return edition


def arrivals(edition: Edition) -> list[Candidate]:
    """Return what an open edition would take if it froze now: candidates that are not stored."""
    return _candidates(edition, _unclaimed(edition))


def _unclaimed(edition: Edition) -> list[Appearance]:
    """Return the appearances that this edition takes, oldest day first."""
    first = Edition.objects.before(edition.day).filter(frozen_at__isnull=False).last() or edition
    # Not from the previous edition on: a source that was away for days brings their papers afterwards.
    since = max(
        first.day - timedelta(days=FIRST_REACH_DAYS - 1), edition.day - timedelta(days=REACH_DAYS - 1)
    )
    found = Appearance.objects.filter(
        edition=None, day__gte=since, day__lte=edition.day, paper__withdrawn_at=None
    )
    return list(found.select_related("paper").order_by("day", "paper_id", "source"))


def _candidates(edition: Edition, appearances: Iterable[Appearance]) -> list[Candidate]:
    """Return one candidate per paper, with the signals of this moment."""
    by_paper: dict[int, Candidate] = {}
    for appearance in appearances:
        paper = appearance.paper
        candidate = by_paper.setdefault(
            paper.pk,
            Candidate(
                edition=edition,
                paper=paper,
                featured_on=appearance.day,
                sources=[],
                upvotes=paper.upvotes,
                comments=paper.comments,
                stars=paper.stars,
            ),
        )
        candidate.featured_on = max(candidate.featured_on, appearance.day)
        candidate.sources.append(appearance.source)
    return [by_paper[key] for key in sorted(by_paper)]


def approve(edition: Edition, *, at: datetime) -> Edition:
    """Let a frozen edition go out. Approving twice is one approval."""
    with transaction.atomic():
        edition = locked(edition)
        if edition.state in {Edition.State.APPROVED, Edition.State.SENDING, Edition.State.SENT}:
            return edition
        move(edition, Edition.State.APPROVED, allowed=[Edition.State.FROZEN], approved_at=at)
    return edition


def close(edition: Edition, *, at: datetime) -> bool:
    """Move a sending edition with nothing left open to sent; say whether it was."""
    if Delivery.objects.filter(edition=edition).open().exists():
        return False
    with transaction.atomic():
        edition = locked(edition)
        if edition.state != Edition.State.SENDING:
            return False
        move(edition, Edition.State.SENT, allowed=[Edition.State.SENDING], closed_at=at)
    return True


def give_up(edition: Edition, *, at: datetime) -> None:
    """Let an edition that missed its whole window expire; its papers go to the next one."""
    with transaction.atomic():
        edition = locked(edition)
        move(
            edition,
            Edition.State.EXPIRED,
            allowed=[Edition.State.OPEN, Edition.State.FROZEN],
            closed_at=at,
        )


def missed(at: datetime) -> list[Edition]:
    """Return the editions whose moment has come and that are not over, the oldest first."""
    found = Edition.objects.filter(state__in=MISSABLE, day__lte=edition_day(at)).order_by("day")
    return [edition for edition in found if freeze_moment(edition.day) <= at]


def end_missed(edition: Edition, *, at: datetime) -> None:
    """Let one of `missed` expire, however far it came: nobody knows any more who got it."""
    with transaction.atomic():
        edition = locked(edition)
        move(edition, Edition.State.EXPIRED, allowed=MISSABLE, closed_at=at)
