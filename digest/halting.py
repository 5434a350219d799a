"""Stop an edition by itself when mailboxes refuse it or readers complain of it, before providers do.

What is judged is what *left* in a span of time, and what was heard of just that: both sides of each share
are of the same deliveries. There are two spans, the last hour (a fault that begins suddenly must not hide
behind a good morning) and the last day (complaints come hours later). No span reaches back before a person
let the edition go on: that person has seen the figures, and only what left since says something new.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet

from digest import curation, editions
from digest.models import Delivery, Edition
from subscribers.models import Suppression

log = structlog.get_logger(__name__)

SPANS = ((timedelta(hours=1), "in the last hour"), (timedelta(hours=24), "in the last 24 hours"))
WATCHED = (Edition.State.APPROVED, Edition.State.SENDING)


@dataclass(frozen=True, slots=True)
class Limit:
    """More than `share` of what left is too much, of at least `least` that left and `fewest` such cases.

    From `warn` on, a page says so; nothing stops.
    """

    words: str
    warn: float
    share: float
    least: int
    fewest: int

    def passed(self, cases: int, left: int) -> bool:
        """Say whether `cases` of `left` are too many."""
        return left >= self.least and cases >= self.fewest and cases > self.share * left


#: What Gmail and Yahoo ask of senders, and what providers stop accounts at.
BOUNCES = Limit("bounced for good", 0.02, 0.05, least=200, fewest=1)
COMPLAINTS = Limit("were reported as spam", 0.001, 0.003, least=1_000, fewest=3)


def look(edition: Edition, *, at: datetime) -> str:
    """Pause `edition` if too much of what left bounced or was complained of; return why, or nothing."""
    if edition.state not in WATCHED:
        return ""
    why = next((why for span, words in SPANS if (why := _judged(edition, at - span, words))), "")
    return why if why and _halt(edition, why) else ""


def _halt(edition: Edition, why: str) -> bool:
    """Pause `edition`; not where a person has decided something about it since it was looked at."""
    with transaction.atomic():
        now = editions.locked(edition)
        if now.state not in WATCHED or now.resumed_at != edition.resumed_at:
            return False
        curation.pause(edition, reason=why)
    log.error("edition_halted", day=str(edition.day), why=why)
    return True


def _judged(edition: Edition, since: datetime, words: str) -> str:
    """Return why what left since then is reason to stop, or nothing."""
    resumed = edition.resumed_at
    if resumed is not None and resumed > since:
        since, words = resumed, f"since it went on at {resumed:%H:%M} UTC"
    answered = Delivery.objects.filter(
        edition=edition, state__in=Delivery.ANSWERED, settled_at__gte=since
    ).order_by()
    accepted = answered.filter(state=Delivery.State.ACCEPTED)
    return _told(BOUNCES, _bounced(answered), answered, words) or _told(
        COMPLAINTS, accepted.filter(complained_at__isnull=False).count(), accepted, words
    )


def _bounced(answered: QuerySet[Delivery]) -> int:
    """Return how many mailboxes refused for good: at once, on the wire, or later, by the provider's word."""
    heard = answered.filter(bounced_at__isnull=False)
    dead = Suppression.objects.filter(reason=Suppression.Reason.BOUNCE).values("address_hash")
    at_once = answered.filter(state=Delivery.State.REJECTED, bounced_at=None, address_hash__in=dead)
    return heard.count() + at_once.count()


def _told(limit: Limit, cases: int, left: QuerySet[Delivery], words: str) -> str:
    if cases < limit.fewest or cases <= limit.share * limit.least:
        return ""
    # So many would make it harmless: who counts them need not go on.
    harmless = int(cases / limit.share) + 1
    many = left.values("pk")[:harmless].count()
    if not limit.passed(cases, many):
        return ""
    return (
        f"Paused by itself: {cases:,} of {many:,} digests that left {words} {limit.words}, "
        f"{cases / many:.1%} (the limit is {limit.share:.1%}). Find out why before it goes on."
    )
