"""How often an address may be asked to confirm.

Counted over the consent log by address hash, which outlives the reader's row: signing up, letting the row
expire and signing up again is no way around it.
"""

from datetime import datetime, timedelta

from django.db import connection

from subscribers.models import ConsentEvent

#: No mailbox is asked twice within this time, unless its owner acted in between.
BETWEEN_CONFIRMATIONS = timedelta(hours=24)
#: Nor more often than `MOST_UNANSWERED` times within `MEMORY` without an answer.
MOST_UNANSWERED = 3
MEMORY = timedelta(days=365)

_Kind = ConsentEvent.Kind
_AGREED = {_Kind.CONFIRMED, _Kind.IMPORTED, _Kind.RESUMED}
_COUNTED = (_Kind.REQUESTED, *sorted(_AGREED), _Kind.WITHDRAWN, _Kind.ERASED)


def hold(hashed: str) -> None:
    """Let one transaction at a time ask, or decide about, the address with hash `hashed`, to its end.

    Call it before `may_ask`, inside the transaction that records the asking. On SQLite every transaction
    of ours is alone in writing.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [hashed])


def may_ask(hashed: str, at: datetime) -> bool:
    """Say whether the address with hash `hashed` may get a confirmation mail for a wish made at `at`.

    An agreement settles all that was asked before it. Who leaves or is erased after one may be asked at once,
    who does so unconfirmed only ends their own wish: the day's wait and the three of a year go on. A wish
    made before its owner left or was erased is void.
    """
    unanswered: list[datetime] = []
    waits = agreed = False
    for kind, when in _history(hashed, at):
        if kind == _Kind.REQUESTED:
            unanswered.append(when)
            waits = when > at - BETWEEN_CONFIRMATIONS
        else:
            goes_on = waits and not agreed and kind not in _AGREED
            waits = goes_on or when > at
            agreed = kind in _AGREED
            unanswered = [] if agreed else unanswered
    return not waits and len(unanswered) < MOST_UNANSWERED


def _history(hashed: str, at: datetime) -> list[tuple[str, datetime]]:
    events = ConsentEvent.objects.filter(address_hash=hashed, kind__in=_COUNTED, at__gt=at - MEMORY)
    return list(events.order_by("pk").values_list("kind", "at"))
