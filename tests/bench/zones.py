"""Follow a reader in every time zone through every change of its clocks in four years: one digest a date.

    python -m tests.bench.zones [--rows]

First the functions of `digest.schedule`, for every zone there is (and with other hours and zones of the
freeze, for one zone of each way in which clocks move). With `--rows` then the whole house for the latter:
rows that are enrolled, claimed and mailed around every change of 2026 (minutes).
"""

import argparse
import sys
import time
from zoneinfo import available_timezones

from tests.bench.zones_side import with_rows
from tests.digest import zones


def main() -> int:
    """Print a line per rule; return 1 if a date was left out or came twice."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", action="store_true", help="with real rows and mails, too")
    options = parser.parse_args()
    some = [alike[0] for alike in zones.patterns().values()]
    print(
        f"{len(available_timezones())} zones, {len(some)} ways in which clocks stand and move, "
        f"{zones.YEARS[0]} to {zones.YEARS[-1]}, {len(zones.HOURS)} local times"
    )
    print(
        f"{'freeze':30}{'zones':>6}{'dates':>9}{'faults':>8}{'late by':>9}{'past midnight':>15}{'seconds':>9}"
    )
    faults = []
    for rule in zones.rules():
        whole = rule == zones.DEFAULT
        names = sorted(available_timezones()) if whole else some
        began = time.perf_counter()
        found = zones.walk(rule, names)
        name = f"{rule.minute // 60:02}:00 {rule.zone}"
        print(
            f"{name:30}{len(names):6}{found.dates:9,}{len(found.faults):8}{max(found.late)!s:>9}"
            f"{found.past_midnight.total():15,}{time.perf_counter() - began:9.1f}",
            flush=True,
        )
        faults += found.faults
    if options.rows:
        faults += with_rows(some)
    print("\n".join(faults[:20]) or "Each date has its digest, and no date has two.")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
