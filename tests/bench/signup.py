"""How long a sign-up takes, for an address that is unknown, pending, active, unsubscribed or suppressed.

    python -m tests.bench.signup [--each 600]

Every request goes through all middleware and the view, on SQLite and a real Valkey, with another address and
network each time; the kinds take turns in shuffled order, so that whatever else the machine does meets all
alike. The yardstick is the unknown address of the same run; beside it stands a second set of unknown ones,
which shows how far two sets of the same kind lie apart by chance. Fails if a median is more than a tenth off.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def main() -> int:
    """Measure in a house of its own, print the table; return 1 if the times tell the kinds apart."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", type=int, default=600, help="requests for each kind of address")
    each = parser.parse_args().each
    with tempfile.TemporaryDirectory(prefix="paperboy-bench-") as folder:
        took = measured(folder, each)
    print(f"{'address':15}{'requests':>9}{'p50 ms':>9}{'p95 ms':>9}{'p50 ratio':>11}{'p95 ratio':>11}")
    base = percentiles(took["unknown"])
    apart = []
    for kind, milliseconds in took.items():
        middle, high = percentiles(milliseconds)
        ratios = middle / base[0], high / base[1]
        print(f"{kind:15}{each:9}{middle:9.2f}{high:9.2f}{ratios[0]:11.3f}{ratios[1]:11.3f}")
        if not 0.9 <= ratios[0] <= 1.1:
            apart.append(kind)
    if apart:
        print(f"told apart by their time: {', '.join(apart)}")
    return int(bool(apart))


def measured(folder: str, each: int) -> dict[str, list[float]]:
    """Return {kind: milliseconds of each request}, measured with a new database and broker in `folder`."""
    unset = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
    plenty = dict.fromkeys(("SIGNUPS_PER_NETWORK", "SIGNUPS_PER_DOMAIN", "SIGNUPS_PER_HOUR"), "1000000")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in unset},
        **plenty,
        "DATA_DIR": folder,
        "PAPERBOY_ENV_FILE": os.devnull,
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "digest.settings",
    }
    side = [sys.executable, "-m", "tests.bench.signup_side", str(each)]
    done = subprocess.run(side, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    took: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return took


def percentiles(milliseconds: list[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile."""
    return statistics.median(milliseconds), statistics.quantiles(milliseconds, n=20)[-1]


if __name__ == "__main__":
    sys.exit(main())
