"""Claim rows for one worker with one statement; a lease that runs out gives them back."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connections, models, transaction
from django.db.models import Q

#: What a lease may reach further ahead than its length: questions that had to wait, hosts a little apart.
SLACK = timedelta(minutes=1)


def no_lease_after(at: datetime, length: timedelta) -> datetime:
    """Return the moment beyond which no lease of `length` reaches that was taken under the clock of `at`.

    One that does was taken before the clock was set back (by NTP, with a machine that was asleep). Its owner
    may be dead, and nobody would come for it for as long as the clock went back: so it counts as over. Where
    its owner lives after all, the epoch fences it, as it does one that comes too late.
    """
    return at + length + max(length, SLACK)


def lapsed(at: datetime, length: timedelta) -> Q:
    """Return the condition for rows whose lease of `length` is over at `at`, or is none."""
    return Q(lease_until__lt=at) | Q(lease_until__gt=no_lease_after(at, length))


def claim(due: models.QuerySet[Any], *, owner: str, until: datetime, limit: int) -> list[int]:
    """Move up to `limit` rows of `due` to state `claimed` and return their primary keys, in due order.

    The model has `state`, `owner`, `lease_until` and `epoch`. The epoch grows by one, which fences an
    owner that comes back after its lease: what it writes must name the epoch it was given. On PostgreSQL
    the inner select skips rows that others hold; on SQLite the IMMEDIATE transaction does the same work.
    """
    model = due.model
    table = model._meta.db_table
    with transaction.atomic(using=due.db), connections[due.db].cursor() as cursor:
        chosen = due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:limit]
        inner, parameters = chosen.query.sql_with_params()
        if connections[due.db].vendor == "postgresql":
            # As an array the select runs once; a planner that joins it instead may claim beyond the limit.
            inner = f"SELECT unnest(ARRAY({inner}))"
        cursor.execute(
            f"UPDATE {table} SET state = 'claimed', owner = %s, lease_until = %s, epoch = epoch + 1 "  # noqa: S608
            f"WHERE id IN ({inner}) RETURNING id",
            [owner, connections[due.db].ops.adapt_datetimefield_value(until), *parameters],
        )
        taken = {row[0] for row in cursor.fetchall()}
    # RETURNING promises no order.
    ordered = model._default_manager.filter(pk__in=taken).order_by(*due.query.order_by, "pk")
    return list(ordered.values_list("pk", flat=True))
