"""Mails per second: `deliver --now` against a naive loop, into the same mail server, in the same run.

    python -m tests.bench.delivery [--readers 5000] [--naive 400]

The naive loop does, per reader, what one writes first: ask the tables, render the MJML, `send_mail`. Each
side runs in a process of its own on a copy of the same database; the figures are whole-process wall time (the
naive side without its start), messages counted by the mail server, and the peak memory of the process.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CANDIDATES = 1_500


def main() -> None:
    """Prepare, measure both sides, print the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=5_000)
    parser.add_argument("--naive", type=int, default=400, help="readers of the naive loop")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paperboy-bench-") as folder:
        home = Path(folder)
        prepared = child("prepare", home / "prepared", readers=options.readers)
        print(f"edition of {CANDIDATES} candidates frozen in {prepared['freeze']:.1f} s")
        naive = measured("naive", home, readers=options.naive)
        few = measured("deliver", home, readers=options.readers // 5)
        many = measured("deliver", home, readers=options.readers)
    print(f"{'':10}{'readers':>8}{'mails':>8}{'seconds':>9}{'mails/s':>9}{'peak MB':>9}")
    for name, row in (("naive", naive), ("deliver", few), ("deliver", many)):
        print(
            f"{name:10}{row['readers']:8}{row['mails']:8}{row['seconds']:9.1f}{row['rate']:9.0f}{row['peak']:9.0f}"
        )
    print(f"deliver / naive: {many['rate'] / naive['rate']:.1f} times the mails per second")
    print(f"memory for {many['readers']} readers / for {few['readers']}: {many['peak'] / few['peak']:.2f}")


def measured(deed: str, home: Path, *, readers: int) -> dict[str, Any]:
    """Run one side on a fresh copy of the database and a fresh mail server; return its figures."""
    data = home / f"{deed}-{readers}"
    shutil.copytree(home / "prepared", data)
    log = data / "sink.log"
    sink = subprocess.Popen(
        [sys.executable, "-m", "tests.sinks.lean_sink", "--port", "0", "--log", str(log)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sink.stdout is not None
    port = int(sink.stdout.readline())
    try:
        row = child(deed, data, readers=readers, port=port)
    finally:
        sink.terminate()
        sink.wait()
    lines = log.read_text().splitlines()
    mails = len(lines)
    doubled = mails - len({line.split("\t")[0] for line in lines})
    if doubled or mails != readers:
        raise SystemExit(f"{deed}: {mails} mails for {readers} readers, {doubled} of them doubled")
    return {**row, "readers": readers, "mails": mails, "rate": mails / row["seconds"]}


def child(deed: str, data: Path, *, readers: int, port: int = 0) -> dict[str, Any]:
    """Run `deed` in a process with its own data folder and return what it prints (JSON)."""
    environment = {
        **{k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}},
        "DATA_DIR": str(data),
        "PAPERBOY_ENV_FILE": os.devnull,
        "LOG_LEVEL": "ERROR",
        **({"EMAIL_URL": f"smtp://127.0.0.1:{port}"} if port else {}),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.delivery_side", deed, str(readers)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
