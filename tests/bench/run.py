"""`make bench`: every bench in turn, each in its own process and against a baseline of the same run."""

import os
import subprocess
import sys

BENCHES = (
    "tests.bench.delivery",
    "tests.bench.ranking",
    "tests.bench.importing",
    "tests.bench.signup",
    "tests.bench.desk",
)


def main() -> int:
    """Run each bench and return 1 if one failed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digest.settings")
    failed = []
    for bench in BENCHES:
        print(f"\n== {bench}", flush=True)
        if subprocess.run([sys.executable, "-m", bench], check=False).returncode:
            failed.append(bench)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
