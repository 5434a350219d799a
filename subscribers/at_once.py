"""Deeds about the same reader at the same moment: an order of locks for all, and once more for who lost."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from django.db import IntegrityError, OperationalError, connection
from django.db.models import Q

from subscribers.models import Subscriber

log = structlog.get_logger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

#: Serialization failure and deadlock (PostgreSQL documentation, appendix A), which leave nothing written; and
#: a reader who went, or a row of theirs that came, before a commit that looked for the other.
_LOST = {"40001", "40P01", "23503"}
#: Times in all. Who lost once seldom loses again: the other one is through.
TRIES = 3


def once_more(deed: Callable[P, T]) -> Callable[P, T]:
    """Let `deed`, one whole transaction and nothing else, be done again where another one stood in its way.

    Within a transaction of the caller's it is the caller who has to do everything again, so it is raised.
    SQLite, where one writes at a time, knows none of this.
    """

    @wraps(deed)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        for left in reversed(range(TRIES)):
            try:
                return deed(*args, **kwargs)
            except (OperationalError, IntegrityError) as fault:
                state = getattr(fault.__cause__, "sqlstate", None)
                if state not in _LOST or not left or connection.in_atomic_block:
                    raise
                log.info("done_once_more", deed=deed.__name__, sqlstate=state)
        raise AssertionError("unreachable")

    return repeated


def hold_readers(hashes: Iterable[str], pks: Iterable[int] = ()) -> None:
    """Lock the readers with these hashes or keys, to the transaction's end, before anything else of theirs.

    Leaving and erasing begin with the reader, too: in another order each would wait for the other.
    """
    theirs = Q(address_hash__in=set(hashes) - {""}) | Q(pk__in=set(pks))
    list(Subscriber.objects.filter(theirs).order_by("pk").select_for_update(no_key=True).values_list("pk"))
