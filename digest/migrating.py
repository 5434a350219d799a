"""`manage.py migrate` on PostgreSQL, beside a house at work.

It waits for no lock for long, since everybody else would wait behind it. What it does may take its time.
"""

from typing import Any

from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from digest.postgresql.base import Connection

#: Seconds for which a migration waits for a table that somebody holds (a backup, a long query).
LOCK_SECONDS = 10
_PATIENCE = Connection.patience


def begin(using: str, **_: Any) -> None:  # noqa: ANN401 - Django's signature
    """Set the limits of a migration on its connection."""
    if connections[using].vendor == "postgresql":
        Connection.patience = None  # an index over many rows takes minutes
        with connections[using].cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")


def end(using: str, **_: Any) -> None:  # noqa: ANN401 - Django's signature
    """Take them back."""
    if connections[using].vendor == "postgresql":
        Connection.patience = _PATIENCE
        with connections[using].cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def connect(sender: Any) -> None:  # noqa: ANN401 - an AppConfig, which has no public type at this moment
    """Do so once a run: Django tells of each app by itself."""
    pre_migrate.connect(begin, sender=sender, dispatch_uid="digest.migrating.begin")
    post_migrate.connect(end, sender=sender, dispatch_uid="digest.migrating.end")
