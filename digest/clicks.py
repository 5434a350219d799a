"""A link to a paper that was followed: where it leads, and the row that says so.

The row is a record that the request came, like a line of an access log: it changes nothing of anybody's, so a
scanner that follows links does no harm. Written for readers only who agreed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, transaction

from digest.clicking import why_a_robot
from digest.models import Click, Delivery, Paper
from digest.rendering import fragments
from subscribers import retention
from subscribers.links import Claims

log = structlog.get_logger(__name__)

#: Of one mail; a program that asks for more tells nothing new.
MOST_ROWS = 100
#: One way of one paper is written down once within so long: a double click is a click.
AGAIN_AFTER = timedelta(seconds=1)


def destination(claims: Claims) -> str:
    """Return the paper's own address that the link was made for, or "" where there is none any more."""
    paper = _paper(claims)
    return fragments.address_of(paper, claims.extra.partition("-")[2]) if paper else ""


def keep(claims: Claims, method: str, headers: Mapping[str, str], *, at: datetime) -> None:
    """Write that a link was followed, if its reader agrees to that; what fails there stops no reader."""
    try:
        with transaction.atomic():
            _keep(claims, method, headers, at)
    except DatabaseError as error:
        log.warning("click_not_kept", fault=type(error).__name__)


def _keep(claims: Claims, method: str, headers: Mapping[str, str], at: datetime) -> None:
    delivery = Delivery.objects.filter(
        public_id=claims.subject, clicks_counted=True, subscriber__clicks_counted_since__isnull=False
    ).first()
    paper = _paper(claims)
    if delivery is None or paper is None:
        return
    sent_at = delivery.settled_at or delivery.submitted_at
    if sent_at is not None and at - sent_at >= retention.CLICKS:
        return
    link = claims.extra.partition("-")[2]
    known = Click.objects.filter(delivery=delivery)
    if known.filter(paper=paper, link=link, at__gt=at - AGAIN_AFTER).exists() or known.count() >= MOST_ROWS:
        return
    why = why_a_robot(method, headers, sent_at=sent_at, at=at)
    Click.objects.create(delivery=delivery, paper=paper, link=link, robot=why, at=at)


def _paper(claims: Claims) -> Paper | None:
    key = claims.extra.partition("-")[0]
    return Paper.objects.filter(pk=int(key)).first() if key.isdigit() and len(key) < 19 else None
