"""A PostgreSQL of its own, on a port and in a folder of its own, that tests may crash."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.processes import free_port

#: Where Debian keeps the server's programs, which are not on the PATH there.
_DEBIAN = Path("/usr/lib/postgresql")
#: A crash of the server is no crash of the machine: what it wrote is there without a sync.
_OPTIONS = "-c fsync=off -c shared_buffers=16MB -c max_connections=40 -c listen_addresses=127.0.0.1"


class Cluster:
    """Started empty, but for the database `paperboy`; gone with the block."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="paperboy-postgres-"))
        self._programs = _programs()
        # PostgreSQL refuses to run as root.
        self._who: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    @property
    def url(self) -> str:
        """The URL of its database."""
        return self.url_at(self.port)

    def url_at(self, port: int) -> str:
        """Return the URL of its database where it is reached by another port."""
        return f"postgres://postgres@127.0.0.1:{port}/paperboy?sslmode=disable"

    def __enter__(self) -> Self:
        self._call("initdb", "--pgdata", self._data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8")
        self.start()
        with psycopg.connect(self.url.replace("/paperboy", "/postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE paperboy")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call("pg_ctl", "-D", self._data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers; after a crash it recovers first."""
        options = f"-p {self.port} -k {self._folder} {_OPTIONS}"
        self._call("pg_ctl", "-D", self._data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """Stop it as a crash does, and start it again."""
        self._call("pg_ctl", "-D", self._data, "-m", "immediate", "stop")
        self.start()

    def cut_everybody_off(self) -> None:
        """End every connection to the database, in the middle of whatever it does."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _call(self, program: str, *arguments: str, check: bool = True) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=check,
            **self._who,
        )


def _programs() -> Path:
    """Return the folder of the server's programs, the newest version's."""
    versions = sorted(_DEBIAN.glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    found = versions[-1] if versions else shutil.which("pg_ctl")
    assert found is not None, "There is no pg_ctl: install PostgreSQL's server."
    return Path(found).parent
