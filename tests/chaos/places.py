"""Where a run lives: (E) a folder with SQLite and a Valkey of its own, (S) a database and a Redis number.

Both are made anew for each run from a template, of which there are two: papers of the day appeared (`open`),
or frozen and approved (`approved`).
"""

import os
import shutil
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

from digest import valkey

OPEN, APPROVED = "open", "approved"
#: Found in a Redis number that is ours to empty.
_MARK = "paperboy-chaos"


class Place(Protocol):
    """Made anew for each run."""

    def reset(self, template: str) -> None:
        """Be as `template` is, with an empty broker."""

    def close(self) -> None:
        """Leave nothing behind."""


class Embedded:
    """A data folder, wiped for each run; templates are files `open.sqlite3` and `approved.sqlite3`."""

    def __init__(self, data: Path, socket: Path, templates: Path) -> None:
        self._data, self._socket, self._templates = data, socket, templates

    def reset(self, template: str) -> None:
        """Copy the template and start a new Valkey."""
        self.close()
        self._data.mkdir(parents=True)
        shutil.copy(self._templates / f"{template}.sqlite3", self._data / "paperboy.sqlite3")
        valkey.start(self._socket, self._data / "valkey")

    def close(self) -> None:
        """Stop Valkey and remove the folder."""
        valkey.stop(self._socket)
        shutil.rmtree(self._data, ignore_errors=True)


class Shared:
    """A database of PostgreSQL's, dropped and made anew for each run, and a Redis number, emptied."""

    def __init__(self, data: Path, database_url: str, redis_url: str, stem: str) -> None:
        self._data, self._stem = data, stem
        self._name = urlsplit(database_url).path.strip("/")
        self._server = renamed(database_url, "postgres")
        self._redis = redis.Redis.from_url(redis_url)
        if self._redis.dbsize() and not self._redis.exists(_MARK):
            raise SystemExit(
                f"{redis_url} holds keys that are not the kill test's. Name two empty numbers of this Redis "
                "in CHAOS_REDIS_DBS, such as 14,15."
            )

    def reset(self, template: str) -> None:
        """Make the database from the template, empty the Redis number."""
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(parents=True)
        self._redis.flushdb()
        self._redis.set(_MARK, "1")
        make_database(self._server, self._name, template=template_name(self._stem, template))

    def close(self) -> None:
        """Drop the database, empty the Redis number."""
        shutil.rmtree(self._data, ignore_errors=True)
        self._redis.flushdb()
        drop_database(self._server, self._name)


def renamed(database_url: str, name: str) -> str:
    """Return the URL of the database `name` on the same server."""
    return urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))


def template_name(stem: str, template: str) -> str:
    """Return the name of a template's database."""
    return f"{stem}_{template}"


def make_database(server: str, name: str, *, template: str = "template0") -> None:
    """Make the database `name` anew, as `template` is."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())


def drop_database(server: str, name: str) -> None:
    """Drop the database `name`, whoever is connected."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def stem_of(database_url: str) -> str:
    """Return what the names of the kill test's databases begin with."""
    return f"chaos_{urlsplit(database_url).path.strip('/')}"


def redis_number(redis_url: str, lane: int) -> str:
    """Return the URL of the Redis number of `lane`; CHAOS_REDIS_DBS names them, else the last two of 16."""
    numbers = os.environ.get("CHAOS_REDIS_DBS", "15,14").split(",")
    return urlunsplit(urlsplit(redis_url)._replace(path=f"/{numbers[lane % len(numbers)].strip()}"))
