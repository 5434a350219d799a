"""Kill workers at twelve steps, in two modes, with many seeds, and count: `make chaos`, `make chaos-full`.

    python -m tests.chaos.matrix [--seeds 25] [--lanes 2] [--minutes 9] [--step ...] [--mode ...]

Every run is a line of JSON in the results' file; a run that is there, of the same sources, is not done again.
Without DATABASE_URL and REDIS_URL mode S is left out; with them, databases are made beside the one that is
named (chaos_NAME_...), and two Redis numbers emptied, 15 and 14 or those that CHAOS_REDIS_DBS names; numbers
that hold anything else are refused. Ends with 1 if anything is not as promised. Linux only: /proc is read.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tests import environment  # noqa: F401 - what the developer has set must not reach a run
from tests.chaos import lanes, table
from tests.chaos.lanes import EMBEDDED, ROOT, SHARED, Run
from tests.chaos.steps import GUARDS, STEPS

_PRODUCT = ("digest", "subscribers", "templates", "constraints.txt")


def product_hash() -> str:
    """Return a hash of the product's sources: results are of one version."""
    digest = hashlib.sha256()
    for name in _PRODUCT:
        top = ROOT / name
        files = [top] if top.is_file() else sorted(each for each in top.rglob("*") if each.is_file())
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def commit() -> str:
    """Return the commit that is checked out, with a plus if files differ from it."""
    asked = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return said.stdout.strip() or "no commit"


def read(file: Path, version: str) -> dict[Run, table.Result]:
    """Return the results of `version` in `file`; a line that a killed runner cut short counts as none."""
    found: dict[Run, table.Result] = {}
    lines = file.read_text().splitlines() if file.exists() else []
    for line in lines:
        try:
            one = json.loads(line)
        except ValueError:
            continue
        if one.get("version") == version:
            found[one["step"], one["mode"], one["seed"]] = one
    return found


def do(runs: Sequence[Run], file: Path, version: str, *, lanes_: int, seconds: float, without: str) -> None:
    """Do `runs` and write each result at once; begin none after `seconds`."""
    stamp = {"version": version, "commit": commit()}
    file.parent.mkdir(parents=True, exist_ok=True)
    stop_at = time.monotonic() + seconds
    with tqdm(total=len(runs), unit="run") as bar, file.open("a") as results:

        def done(run: Run, figures: dict[str, Any]) -> None:
            step, mode, seed = run
            line = {"step": step, "mode": mode, "seed": seed, **stamp, **figures}
            results.write(json.dumps(line) + "\n")
            results.flush()
            bar.update()
            for fault in figures["faults"]:
                bar.write(f"{step}, mode {mode}, seed {seed}: {fault}")

        lanes.work_off(runs, lanes_, done, go_on=lambda: time.monotonic() < stop_at, broken=without)


def main() -> int:
    """Read the options, do what is not done yet, print the table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seeds", type=int, default=25)
    options.add_argument("--first", type=int, default=0, help="the first seed")
    options.add_argument("--lanes", type=int, default=2)
    options.add_argument("--minutes", type=float, default=24 * 60, help="begin no run after so many")
    options.add_argument("--results", type=Path, default=ROOT / ".paperboy" / "chaos.jsonl")
    options.add_argument("--step", action="append", choices=STEPS)
    options.add_argument("--mode", action="append", choices=(EMBEDDED, SHARED))
    options.add_argument("--broken", default="", choices=GUARDS, help="a guard to do without")
    given = options.parse_args()
    modes = given.mode or [EMBEDDED, SHARED]
    if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys() and SHARED in modes:
        modes.remove(SHARED)
        print("DATABASE_URL and REDIS_URL are not both set: mode S is left out, mode E runs alone.")
    seeds = range(given.first, given.first + given.seeds)
    wanted = [(step, mode, seed) for seed in seeds for mode in modes for step in given.step or STEPS]
    version = product_hash() + (f" without {given.broken}" if given.broken else "")
    known = read(given.results, version)
    missing = [run for run in wanted if run not in known]
    print(f"{len(wanted)} runs, {len(wanted) - len(missing)} done before with these sources ({version}).")
    if missing:
        do(
            missing,
            given.results,
            version,
            lanes_=given.lanes,
            seconds=given.minutes * 60,
            without=given.broken,
        )
    results = [one for run, one in read(given.results, version).items() if run in set(wanted)]
    return report(results, len(wanted), seeds)


def report(results: Sequence[table.Result], wanted: int, seeds: range) -> int:
    """Print the table; return 1 if anything is not as promised."""
    commits = sorted({one["commit"] for one in results})
    bad = table.faults(results)
    print(f"\n{table.table(results)}\n")
    print(f"Seeds {seeds.start} to {seeds.stop - 1}; commit {', '.join(commits)}. {table.versions()}.")
    if len(results) < wanted:
        print(
            f"Time was over: {wanted - len(results)} of {wanted} runs are left; the same command does them."
        )
    print("\n".join(["Faults:", *bad]) if bad else "No fault.")
    return 1 if bad or not results else 0


if __name__ == "__main__":
    sys.exit(main())
