"""Migrations run while a worker of the version before sends: it need not be stopped, and nobody is missed."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from tests.faults.cluster import Cluster

pytestmark = pytest.mark.postgres

READERS, BATCH = 600, 5
#: The tables of the first version, and what they need.
BEFORE = ("digest", "0001")
ROWS = [
    """INSERT INTO subscribers_subscriber (id, public_id, address, address_key, address_hash, status,
       status_at, created_at, confirmed_at, time_zone, send_minute, frequency, weekday, size)
       SELECT n, 'r' || n, 'r' || n || '@readers.example', 'r' || n || '@readers.example', 'v1:' || n,
       'active', now(), now(), now(), 'UTC', 420, 'daily', 0, 10 FROM generate_series(1, %s::int) n""",
    """INSERT INTO digest_edition (id, day, state, paused_from, note, missing_sources, candidate_count,
       enrolled, enrolled_upto, revision, opened_at)
       SELECT 1, '2026-03-04', 'sending', '', '', '[]', 0, %s, 0, 0, now()""",
]
#: What that worker asks, with the columns that it knew: enrol, claim, begin, settle.
ENROL = """INSERT INTO digest_delivery (public_id, address_hash, state, local_date, not_before, expires_at,
           attempts, owner, epoch, picks, subject, provider_id, detail, edition_id, subscriber_id)
           SELECT 'd' || n, 'v1:' || n, 'ready', '2026-03-04', now(), now() + interval '1 day',
           0, '', 0, '[]', '', '', '', 1, n FROM generate_series(%s::int, %s::int) n ON CONFLICT DO NOTHING"""
CLAIM = """UPDATE digest_delivery SET state = 'claimed', owner = 'old', epoch = epoch + 1 WHERE id IN
           (SELECT id FROM digest_delivery WHERE state = 'ready' ORDER BY not_before, id LIMIT %s
           FOR UPDATE SKIP LOCKED) RETURNING id"""
BEGIN = """UPDATE digest_delivery SET state = 'submitting', attempts = 1, picks = '[[1, "why"]]',
           subject = 's', submitted_at = now() WHERE id = ANY(%s) AND epoch = 1 AND state = 'claimed'
           RETURNING id"""
SETTLE = """UPDATE digest_delivery SET state = 'accepted', settled_at = now() WHERE id = ANY(%s) AND epoch = 1
            AND state = 'submitting'"""
HELD = "CommandError: Somebody holds a table that a migration has to change"
COUNT = "SELECT state, clicks_counted, count(*) FROM digest_delivery GROUP BY 1, 2"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The tables of the first version, with its readers."""
    with Cluster() as found:
        assert migrate(found, *BEFORE).returncode == 0
        with psycopg.connect(found.url) as connection:
            for statement in ROWS:
                connection.execute(statement, [READERS])
            connection.execute(ENROL, [1, READERS // 2])
        yield found


def migrate(cluster: Cluster, *what: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "DATABASE_URL": cluster.url, "PAPERBOY_ENV_FILE": os.devnull}
    command = [
        sys.executable,
        str(Path(settings.BASE_DIR) / "manage.py"),
        "migrate",
        "--verbosity",
        "0",
        *what,
    ]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_a_table_that_a_backup_holds_is_not_waited_for(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url) as backup, psycopg.connect(cluster.url, autocommit=True) as reader:
        backup.execute("LOCK TABLE digest_delivery IN ACCESS SHARE MODE")  # as pg_dump does, for hours
        done = migrate(cluster)
        assert done.returncode == 1
        assert done.stderr.startswith(HELD)
        reader.execute("SET lock_timeout = '1s'")
        reader.execute("SELECT count(*) FROM digest_delivery")  # nobody waits behind it any more


def test_an_old_worker_sends_on_while_migrations_run(cluster: Cluster) -> None:
    sent: Counter[int] = Counter()
    faults: list[Exception] = []
    migrated = threading.Event()

    def old_worker() -> None:
        enrolled = READERS // 2
        try:
            with psycopg.connect(cluster.url, autocommit=True) as connection:
                while not migrated.wait(0.05) or enrolled < READERS:
                    enrolled = min(READERS, enrolled + 2)
                    ask(connection, ENROL, [READERS // 2 + 1, enrolled])
                    send_some(connection, sent)
                while send_some(connection, sent):
                    pass
        except Exception as fault:  # noqa: BLE001 - shown by the test
            faults.append(fault)

    worker = threading.Thread(target=old_worker)
    worker.start()
    for _ in range(5):
        done = migrate(cluster)
        if done.returncode == 0:
            break
        assert done.stderr.startswith(HELD), done.stderr[-2000:]  # it stood in the worker's way, and gave up
    migrated.set()
    worker.join(120)
    assert done.returncode == 0
    assert faults == []
    assert len(sent) == READERS
    assert set(sent.values()) == {1}
    with psycopg.connect(cluster.url) as connection:
        states = connection.execute(COUNT)
        assert states.fetchall() == [("accepted", False, READERS)]


def send_some(connection: "psycopg.Connection[tuple[int]]", sent: Counter[int]) -> int:
    """Claim, begin, send and settle a batch; return of how many."""
    claimed = [key for (key,) in ask(connection, CLAIM, [BATCH]).fetchall()]
    going = [key for (key,) in ask(connection, BEGIN, [claimed]).fetchall()]
    sent.update(going)
    ask(connection, SETTLE, [going])
    return len(claimed)


def ask(
    connection: "psycopg.Connection[tuple[int]]", statement: str, parameters: list[Any]
) -> "psycopg.Cursor[tuple[int]]":
    """Run one statement, again where it and the migration waited for each other, as workers do."""
    for _ in range(20):
        with suppress(psycopg.errors.DeadlockDetected):
            return connection.execute(statement.encode(), parameters)
    raise AssertionError("a deadlock each time")
