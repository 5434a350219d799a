"""A backup made and restored in the middle of a send: nobody gets an edition twice."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.processes import wait_until
from tests.restoring import Installation
from tests.sinks.smtp_sink import SmtpSink

READERS = 30


class SlowSink(SmtpSink):
    """Takes a moment for each mail, so that there is a middle."""

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        await asyncio.sleep(0.03)
        return str(await super().handle_DATA(server, session, envelope))


@pytest.fixture
def sink() -> Iterator[SlowSink]:
    with SlowSink() as running:
        yield running


def got(sink: SmtpSink) -> Counter[str]:
    return Counter(recipient for mail in sink.received for recipient in mail.recipients)


@contextmanager
def sending(house: Installation, sink: SmtpSink) -> Iterator[None]:
    """Run the block while digests leave, some of them before and some after it."""
    process = house.start("manage.py", "deliver")
    assert wait_until(lambda: len(sink.received) >= 6, 60)
    yield
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert set(got(sink).values()) == {1}
    assert len(got(sink)) == READERS


def armed_and_on(house: Installation, sink: SmtpSink) -> None:
    """Find nothing sent, arm, find nobody mailed twice, and everybody mailed with the next edition."""
    code, said = house.manage("deliver")
    assert (code, "Run `manage.py arm`" in said) == (1, True), said
    assert len(sink.received) == READERS
    code, said = house.manage("arm", "--yes")
    assert code == 0, said
    assert "groups of digests left that are not in this database" in said
    assert "expires, with" in said
    code, said = house.manage("deliver")
    assert len(sink.received) == READERS, said
    house.furnish(ahead=2)
    code, said = house.manage("deliver")
    assert code == 0, said
    assert got(sink) == Counter({f"reader{number}@example.org": 2 for number in range(READERS)})


def test_an_sqlite_backup_restored_in_the_middle_of_a_send_mails_nobody_twice(
    tmp_path: Path, sink: SlowSink
) -> None:
    house = Installation(tmp_path / "data", f"smtp://127.0.0.1:{sink.port}", {"DEBUG": "true"})
    database = house.folder / "paperboy.sqlite3"
    assert house.manage("migrate", "--verbosity", "0")[0] == 0
    house.furnish(readers=READERS)
    with sending(house, sink), closing(sqlite3.connect(database)) as live:
        live.execute("VACUUM INTO ?", [str(tmp_path / "backup")])
    for rest in house.folder.glob("paperboy.sqlite3*"):
        rest.unlink()
    shutil.copy(tmp_path / "backup", database)
    armed_and_on(house, sink)


@pytest.mark.postgres
def test_a_postgresql_dump_restored_in_the_middle_of_a_send_mails_nobody_twice(
    tmp_path: Path, sink: SlowSink
) -> None:
    with a_database() as url:
        more = {"DEBUG": "true", "DATABASE_URL": url, "REDIS_URL": os.environ["REDIS_URL"]}
        more["SECRET_KEY"] = f"only-for-this-test-{tmp_path}"  # its keys in the shared Redis
        house = Installation(tmp_path / "data", f"smtp://127.0.0.1:{sink.port}", more)
        assert house.manage("migrate", "--verbosity", "0")[0] == 0
        house.furnish(readers=READERS)
        dump = tmp_path / "backup"
        with sending(house, sink):
            subprocess.run(["pg_dump", "-Fc", "-f", dump, url], check=True)
        subprocess.run(["pg_restore", "--clean", "--if-exists", "-d", url, dump], check=True)
        # Another host, which has no file: the broker alone tells it.
        for file in house.folder.glob("*.witness"):
            file.unlink()
        task = "import django; django.setup(); from digest import tasks; tasks.deliver()"
        code, said = house.run("-c", task)
        assert code == 0, said
        assert len(sink.received) == READERS
        armed_and_on(house, sink)


@contextmanager
def a_database() -> Iterator[str]:
    """Make a database beside the tests' own, and drop it afterwards."""
    url = urlsplit(os.environ["DATABASE_URL"])
    name = f"restored_{os.getpid()}"
    with psycopg.connect(url.geturl(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield url._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
