"""What DATABASES' ENGINE names: Django finds `DatabaseWrapper` here."""

from types import ModuleType
from typing import Any, ClassVar, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

T = TypeVar("T")


class Connection(psycopg.Connection[Any]):
    """One whose server has to answer: one that hangs behind a line that is alive is as good as away.

    A statement that takes longer counts as lost, and so does its connection. Whether it happened is unknown.
    """

    #: Seconds for one statement; None: as long as it takes.
    patience: ClassVar[float | None] = 120.0

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Let the server answer, within `timeout` or else within the patience. Raises OperationalError."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except _WaitTimeout:
            self.pgconn.finish()  # in the middle of an answer: nobody can go on with it
            raise psycopg.OperationalError(
                f"the database did not answer within {self.patience:.0f} seconds"
            ) from None


#: The driver, as Django dials with it.
_driver = ModuleType("psycopg")
vars(_driver).update({**vars(psycopg), "connect": Connection.connect})


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for the class of its connections."""

    Database = _driver
