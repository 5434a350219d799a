"""An installation on SQLite whose disk is full while signalled so: `python -m tests.faults.full_disk_side`.

Prints "ready" when its digests are due, sends them at a line on its standard input, prints the account.
SIGUSR1 lets no file grow beyond a page (RLIMIT_FSIZE: commits fail, as on a full disk), SIGUSR2 lifts that.
"""

import resource
import signal
import sys
from datetime import timedelta

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django first
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from digest.delivery import run  # noqa: E402
from digest.delivery.balance import balance  # noqa: E402
from digest.models import Delivery, Edition  # noqa: E402
from tests.faults import furnish  # noqa: E402

PAGE = 4096
_, MOST = resource.getrlimit(resource.RLIMIT_FSIZE)


def full(_number: int, _frame: object) -> None:
    """Have no room left."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, MOST))


def empty(_number: int, _frame: object) -> None:
    """Have room again."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, MOST))


def main(readers: int) -> None:
    """Prepare, wait, send."""
    call_command("migrate", verbosity=0)
    furnish.write(readers)
    Delivery.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    signal.signal(signal.SIGUSR1, full)
    signal.signal(signal.SIGUSR2, empty)
    connection.close()
    print("ready", flush=True)
    sys.stdin.readline()
    worker = run.Worker(timezone.now)
    run.run(worker)
    worker.close()
    print(balance(Edition.objects.get()), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
