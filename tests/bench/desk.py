"""How long the pages of the desk take with a million readers and deliveries, against the limits.

    DATABASE_URL=postgres://... python -m tests.bench.desk [--readers 1000000] [--papers 100000] [--keep]

Server time of each page through all middleware, the median of several, on a database made for it beside the
one of DATABASE_URL (`--keep` leaves it there, and finds it the next time). Fails if a page is over its limit.
"""

import argparse
import os
import subprocess
import sys
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

DATABASE = "paperboy_desk_bench"


def main() -> int:
    """Make the house, measure in a process of its own, clear up; return 1 if a page is too slow."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=1_000_000, help="and as many deliveries")
    parser.add_argument("--papers", type=int, default=100_000)
    parser.add_argument("--keep", action="store_true", help="leave the database for the next run")
    options = parser.parse_args()
    address = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not address.scheme.startswith("postgres"):
        print("The desk is measured on PostgreSQL: set DATABASE_URL.")
        return 0
    there = make(address.geturl(), fresh=not options.keep)
    side = [sys.executable, "-m", "tests.bench.desk_side", str(options.readers), str(options.papers)]
    environment = {**os.environ, "DATABASE_URL": address._replace(path=f"/{DATABASE}").geturl()}
    try:
        made = ["--furnished"] if there else []
        return subprocess.run([*side, *made], env=environment, check=False).returncode
    finally:
        if not options.keep:
            drop(address.geturl())


def make(address: str, *, fresh: bool) -> bool:
    """Make the database; with `fresh`, anew. Return whether it was there and stays."""
    if fresh:
        drop(address)
    with psycopg.connect(address, autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    return known is not None


def drop(address: str) -> None:
    """Drop the database, if it is there."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(DATABASE)))


if __name__ == "__main__":
    sys.exit(main())
