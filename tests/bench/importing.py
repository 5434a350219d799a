"""What bringing in readers costs: a dry run and an import of a Mailchimp file, then taking them out again.

    python -m tests.bench.importing [--rows 100000]

In a database of its own (on the server of DATABASE_URL, or SQLite), each step a process. Fails above the
bounds: 3 minutes for the dry run, 3 for the import, 300 MB at the peak.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MOST_SECONDS = 180
MOST_MEGABYTES = 300
CONSENT = "Signed up on an invented site in 2024, confirmed by mail."
HEADER = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,'
    "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
)
_STEP = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def write(path: Path, rows: int) -> None:
    """Write a file of `rows`, of which one in a hundred is bad and one in fifty doubled."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for number in range(rows):
            address = f"Reader{number - number % 50 * (number % 50 == 1)}@bench.example"
            address = "no address" if number % 100 == 99 else address
            moments = '"2024-03-01 10:00:00",,"2024-03-01 10:02:03",192.0.2.1'
            tags = '"""Computer Vision"",""Robotics"",""other"""'
            file.write(f'{address},Ada,"Example, {number}",2,{moments},,,,,,,,,{number},e{number},,{tags}\n')


def step(name: str, *arguments: str, bounded: bool = True) -> bool:
    """Run one command, print its seconds and peak memory, and say whether it kept the bounds."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", _STEP, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds, megabytes = time.perf_counter() - started, used.ru_maxrss / 1024
    print(
        f"{name:<10} {seconds:7.1f} s  cpu {used.ru_utime + used.ru_stime:6.1f} s  peak {megabytes:5.0f} MB"
    )
    return not status and (not bounded or (seconds <= MOST_SECONDS and megabytes <= MOST_MEGABYTES))


def main() -> int:
    """Measure and return 1 if a bound is broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    os.environ["DJANGO_SETTINGS_MODULE"] = "digest.settings"
    os.environ["LOG_LEVEL"] = "WARNING"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATA_DIR"] = folder
        database = own_database() if "DATABASE_URL" in os.environ else "SQLite"
        print(f"{rows:,} rows into {database}; {os.cpu_count()} cores")
        file = Path(folder) / "readers.csv"
        write(file, rows)
        quiet = ("--verbosity", "0")
        try:
            kept = [
                step("migrate", "migrate", *quiet, bounded=False),
                step("dry run", "import_readers", str(file), "--dry-run", *quiet),
                step("import", "import_readers", str(file), "--consent-source", CONSENT, *quiet),
                step("again", "import_readers", str(file), "--consent-source", CONSENT, *quiet),
                step("export", "export_readers", str(Path(folder) / "out.csv"), *quiet),
            ]
        finally:
            if database != "SQLite":
                psql(f'DROP DATABASE "{database}"')
    return int(not all(kept))


def own_database() -> str:
    """Make an empty database beside the one of DATABASE_URL and lead there."""
    name = f"bench_importing_{os.getpid()}"
    psql(f'CREATE DATABASE "{name}"')
    os.environ["DATABASE_URL"] = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    return name


def psql(statement: str) -> None:
    """Run a statement on the server of DATABASE_URL, outside a transaction."""
    server = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/postgres"
    code = "import psycopg, sys; psycopg.connect(sys.argv[1], autocommit=True).execute(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, server, statement], check=True)


if __name__ == "__main__":
    sys.exit(main())
