"""How often an address may be asked to confirm.

Counted over the consent log by address hash, which outlives the reader's row: signing up, letting the row
expire and signing up again is no way around it.
"""

from datetime import datetime, timedelta

from subscribers.models import ConsentEvent

#: No mailbox is asked twice within this time, unless its owner acted in between.
BETWEEN_CONFIRMATIONS = timedelta(hours=24)
#: Nor more often than `MOST_UNANSWERED` times within `MEMORY` without an answer.
MOST_UNANSWERED = 3
MEMORY = timedelta(days=365)

_Kind = ConsentEvent.Kind
_COUNTED = (_Kind.REQUESTED, _Kind.CONFIRMED, _Kind.WITHDRAWN, _Kind.ERASED)


def may_ask(hashed: str, at: datetime) -> bool:
    """Say whether the address with hash `hashed` may get a confirmation mail for a wish made at `at`.

    A confirmation settles all that was asked before it. Only the owner can have left, so leaving ends the
    day's wait; the three of a year still count. A wish made before its owner left or was erased is void.
    """
    unanswered: list[datetime] = []
    waits = False
    for kind, when in _history(hashed, at):
        if kind == _Kind.REQUESTED:
            unanswered.append(when)
            waits = when > at - BETWEEN_CONFIRMATIONS
        else:
            waits = when > at
            unanswered = [] if kind == _Kind.CONFIRMED else unanswered
    return not waits and len(unanswered) < MOST_UNANSWERED


def _history(hashed: str, at: datetime) -> list[tuple[str, datetime]]:
    events = ConsentEvent.objects.filter(address_hash=hashed, kind__in=_COUNTED, at__gt=at - MEMORY)
    return list(events.order_by("pk").values_list("kind", "at"))
