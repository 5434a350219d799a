"""One edition to a hundred thousand readers: two worker processes and beat, on PostgreSQL and Redis.

    DATABASE_URL=... REDIS_URL=... python -m tests.bench.load [--readers 100000] [--minutes 25]

It works in a database of its own on that server (made, and dropped at the end) and in that Redis number,
which must be idle. A lean mail server counts who got what. Every two seconds it looks at the memory of each
process and at the connections to the database. It ends with 1 where a reader got nothing or two mails, or a
process grew beyond its limit.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.chaos.places import drop_database, make_database, renamed
from tests.environment import SETTINGS
from tests.processes import descendants

PROCESSES = 2
EVERY = 2.0
MOST_MB = 300.0
NAME = "paperboy_load"


@dataclass
class Watched:
    """What was seen of the house, sample by sample."""

    rss: dict[tuple[int, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    connections: list[int] = field(default_factory=list)
    #: (seconds since the start, mails)
    mails: list[tuple[float, int]] = field(default_factory=list)


def main() -> int:
    """Prepare, let the house work, print what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=25, help="give up after so many")
    options = parser.parse_args()
    if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        raise SystemExit("It needs DATABASE_URL (PostgreSQL) and REDIS_URL (Redis) in the environment.")
    server = os.environ["DATABASE_URL"]
    make_database(renamed(server, "postgres"), NAME)
    try:
        with tempfile.TemporaryDirectory(prefix="paperboy-load-") as folder:
            return _run(Path(folder), renamed(server, NAME), options.readers, options.minutes * 60)
    finally:
        drop_database(renamed(server, "postgres"), NAME)


def _run(home: Path, database: str, readers: int, most_seconds: float) -> int:
    log = home / "sink.log"
    sink = subprocess.Popen(
        [sys.executable, "-m", "tests.sinks.lean_sink", "--port", "0", "--log", str(log)],
        stdout=subprocess.PIPE,
    )
    assert sink.stdout is not None
    environment = _environment(home, database, int(sink.stdout.readline()))
    began = time.monotonic()
    # In development mode: `seed` refuses to put people nobody is into production.
    _python(["-m", "tests.bench.delivery_side", "prepare", str(readers)], {**environment, "DEBUG": "true"})
    print(f"{readers:,} readers and an approved edition in {time.monotonic() - began:.0f} s", flush=True)
    celery = [sys.executable, "-m", "celery", "-A", "digest", "--quiet"]
    house = {
        "worker": [*celery, "worker", "--concurrency", str(PROCESSES), "--max-tasks-per-child", "500"],
        "beat": [*celery, "beat"],
    }
    running = {
        name: subprocess.Popen([*command, "--loglevel", "ERROR"], env=environment)
        for name, command in house.items()
    }
    try:
        seen = _watch(running, database, log, readers, most_seconds)
    finally:
        for process in (*running.values(), sink):
            process.send_signal(signal.SIGTERM)
        for process in (*running.values(), sink):
            process.wait(timeout=60)
    return _report(seen, database, log, readers)


def _environment(home: Path, database: str, port: int) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if key not in SETTINGS},
        "DATABASE_URL": database,
        "DATA_DIR": str(home / "data"),
        "PAPERBOY_ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "digest.settings",
        "LOG_LEVEL": "ERROR",
        "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        # Production, whose memory this is about. No source is asked: nobody listens there.
        "DEBUG": "false",
        "SECRET_KEY": "a-secret-key-of-the-load-run-that-is-longer-than-fifty-characters",
        "TOKEN_KEYS": "load:a-token-key-of-the-load-run-that-is-longer-than-32",
        "ADDRESS_PEPPER": "a-pepper-of-the-load-run-that-is-longer-than-32-characters",
        "SITE_URL": "https://papers.example.org",
        "ALLOWED_HOSTS": "papers.example.org",
        "DEFAULT_FROM_EMAIL": "papers@example.org",
        "POSTAL_ADDRESS": "1 Example Road, Exampletown",
        "CONTACT_EMAIL": "papers@example.org",
        "SOURCES": "huggingface",
        "HUGGINGFACE_URL": "https://127.0.0.1:9",
        "TICK_SECONDS": "5",
    }


def _python(arguments: list[str], environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)


def _watch(
    running: dict[str, subprocess.Popen[bytes]], database: str, log: Path, readers: int, most_seconds: float
) -> Watched:
    """Look every two seconds until all mails have come, and half a minute more for what is doubled."""
    seen, began, quiet_until = Watched(), time.monotonic(), 0.0
    with psycopg.connect(renamed(database, "postgres"), autocommit=True) as connection:
        while time.monotonic() - began < most_seconds:
            for role, process in running.items():
                for pid in (process.pid, *descendants(process.pid)):
                    name = f"{role} child" if pid != process.pid else role
                    if (rss := _rss(pid)) is not None:
                        seen.rss[pid, name].append(rss)
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [NAME]
            ).fetchone()
            seen.connections.append(row[0] if row else 0)
            mails = log.read_bytes().count(b"\n") if log.exists() else 0
            seen.mails.append((time.monotonic() - began, mails))
            if mails >= readers:
                quiet_until = quiet_until or time.monotonic() + 30
                if time.monotonic() > quiet_until:
                    break
            time.sleep(EVERY)
    return seen


def _rss(pid: int) -> float | None:
    """Return the resident memory of a process in MB; None: it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    lines = [line.split() for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0][1]) / 1024 if lines else None


def _report(seen: Watched, database: str, log: Path, readers: int) -> int:
    print(f"{'process':22}{'samples':>8}{'first MB':>9}{'quarter':>9}{'half':>9}{'last':>9}{'peak':>9}")
    peak = 0.0
    for (pid, name), rss in seen.rss.items():
        places = (rss[0], rss[len(rss) // 4], rss[len(rss) // 2], rss[-1], max(rss))
        print(f"{name + ' ' + str(pid):22}{len(rss):8}" + "".join(f"{mb:9.0f}" for mb in places))
        peak = max(peak, *rss)
    low, high = min(seen.connections), max(seen.connections)
    print(f"connections to the database: {low} to {high}, median {statistics.median(seen.connections):.0f}")
    moved = [(at, mails) for at, mails in seen.mails if 0 < mails < readers]
    if len(moved) > 1:
        (first_at, first), (last_at, last) = moved[0], moved[-1]
        rate = (last - first) / (last_at - first_at)
        print(f"first mail after {first_at:.0f} s, last after {last_at:.0f} s, {rate:.0f} mails a second")
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT state, count(*) FROM digest_delivery GROUP BY state").fetchall()
        print("rows: " + ", ".join(f"{state} {many:,}" for state, many in rows))
        days = connection.execute("SELECT day, state, enrolled FROM digest_edition ORDER BY day").fetchall()
        print("editions: " + ", ".join(f"{day} {state} ({enrolled:,})" for day, state, enrolled in days))
    got = [line.split("\t")[0] for line in log.read_text().splitlines()]
    missed, doubled = readers - len(set(got)), len(got) - len(set(got))
    print(f"{len(got):,} mails for {readers:,} readers: {missed} missed, {doubled} doubled")
    print(f"peak memory of a process: {peak:.0f} MB (of {MOST_MB:.0f} allowed)")
    return int(bool(missed or doubled or peak > MOST_MB))


if __name__ == "__main__":
    sys.exit(main())
