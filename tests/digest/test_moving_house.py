"""From SQLite to PostgreSQL in the middle of an edition: nobody twice, nobody missed, links still good."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from celery import Celery
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.processes import wait_until
from tests.sinks.smtp_sink import SmtpSink

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.postgres
#: An edition of twelve papers with odd titles, and twelve readers of it.
FURNISH = """
from datetime import timedelta
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.utils import timezone
from digest import enrolling
from tests import cast
now = timezone.now()
papers = [cast.a_paper(f"Paper {n} \\u2203\\U0001f600", cast.a_topic()) for n in range(12)]
readers = [cast.a_reader(f"mover{n}@example.org") for n in range(12)]
edition = cast.a_frozen_edition(now.date() + timedelta(days=1), *papers, approved_at=now)
enrolling.enroll(edition, at=now)
call_command("deliver", now=True, limit=5)
"""
NEXT = """
from datetime import timedelta
from django.core.management import call_command
call_command("deliver", now=True)
from django.utils import timezone
from digest import enrolling
from tests import cast
cast._serial = iter(range(5000, 9000))
now = timezone.now()
cast.a_reader("newcomer@example.org")
day = now.date() + timedelta(days=2)
edition = cast.a_frozen_edition(day, *(cast.a_paper(f"Next {n}") for n in range(12)), approved_at=now)
enrolling.enroll(edition, at=now)
call_command("deliver", now=True)
from django.test import Client
from subscribers.models import Subscriber
answer = Client().post(LINK, HTTP_HOST="localhost")
print("left:", answer.status_code, Subscriber.objects.filter(status="unsubscribed").count())
"""
#: Every row but the sessions, as JSON.
DUMP = ("dumpdata", "--natural-foreign", "--exclude", "sessions")


@dataclass
class House:
    """Commands of an installation of its own in `folder`, on SQLite until `url` is set; no broker runs."""

    folder: Path
    sink: SmtpSink
    url: str = ""

    def manage(self, *arguments: str, fails: bool = False) -> str:
        environment = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
        }
        environment |= {
            "DATA_DIR": str(self.folder),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.sink.port}",
            "DJANGO_SETTINGS_MODULE": "digest.settings",
        }
        environment |= {"DATABASE_URL": self.url} if self.url else {}
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def recipients(self) -> Counter[str]:
        return Counter(recipient for mail in self.sink.received for recipient in mail.recipients)


@pytest.fixture
def new_database() -> Iterator[str]:
    """The URL of an empty database beside the tests' own, dropped afterwards."""
    given = settings.DATABASES["default"]
    name = f"moved_{os.getpid()}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    with psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')
        assert given["NAME"] != name
        yield parts._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with SmtpSink() as sink:
        one = House(tmp_path, sink)
        one.manage("shell", "-c", FURNISH)
        yield one


def test_an_edition_that_is_half_sent_goes_on_in_the_new_database(house: House, new_database: str) -> None:
    assert len(house.recipients()) == 5
    before = _rows(house.manage(*DUMP))
    told = house.manage("move_to", "--database-url", new_database)
    assert re.search(r"[1-9][\d,]* rows of \d+ tables moved", told)
    assert (house.folder / "paperboy.sqlite3.moved").exists()
    # What still believes in the old database finds none, and sends nothing.
    assert "migrate" in house.manage("deliver", "--now", fails=True)

    house.url = new_database
    assert _rows(house.manage(*DUMP)) == before
    link = re.search(r"https?://[^/]+(/u/[^>]+)>", str(house.sink.messages[0]["List-Unsubscribe"]))
    assert link is not None
    told = house.manage("shell", "-c", f"LINK = {link[1]!r}\n{NEXT}")
    assert "left: 200 1" in told
    assert house.recipients() == Counter(
        {**{f"mover{n}@example.org": 2 for n in range(12)}, "newcomer@example.org": 1}
    )
    # A database that somebody lives in is not moved into again.
    house.url = ""
    (house.folder / "paperboy.sqlite3.moved").rename(house.folder / "paperboy.sqlite3")
    assert "not empty" in house.manage("move_to", "--database-url", new_database, fails=True)
    assert (house.folder / "paperboy.sqlite3").exists()


def _rows(dumped: str) -> list[str]:
    """Return the rows of a dump in an order of their own: the two databases sort texts differently."""
    return sorted(json.dumps(row, sort_keys=True) for row in json.loads(dumped[dumped.index("[{") :]))


@pytest.mark.parametrize("url", ["sqlite:////tmp/other.sqlite3", "mysql://somebody@host/name"])
def test_anything_but_postgresql_is_refused(url: str) -> None:
    with pytest.raises(CommandError, match="postgres://") as refused:
        call_command("move_to", "--database-url", url)
    assert refused.value.returncode == 2


def test_nothing_is_moved_under_a_running_worker(broker: Celery) -> None:
    command = [sys.executable, "-m", "celery", "-A", "digest", "worker", "--pool", "solo"]
    worker = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: bool(broker.control.ping(timeout=1.0)), 60)
        with pytest.raises(CommandError, match="still run"):
            call_command("move_to", "--database-url", "postgres://nobody@127.0.0.1:1/nothing")
    finally:
        worker.terminate()
        worker.wait(30)
