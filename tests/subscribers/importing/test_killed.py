"""kill -9 in the middle of an import, on a real process and a real database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from subscribers.models import ConsentEvent, ImportJob, Preference, Subscriber
from tests.cast import a_topic
from tests.processes import wait_until
from tests.subscribers.importing.files import CONSENT

ROWS = 12_000


def command(file: Path, *arguments: str) -> list[str]:
    """Return the command line of an import."""
    return [sys.executable, "manage.py", "import_readers", str(file), "--verbosity", "0", *arguments]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment that leads to this test's database."""
    clean = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), "PAPERBOY_ENV_FILE": os.devnull}
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return {**clean, "DATABASE_URL": f"sqlite:///{given['NAME']}"}
    login = f"{given['USER']}:{given['PASSWORD']}".rstrip(":")
    return {**clean, "DATABASE_URL": f"postgres://{login}@{given['HOST']}:{given['PORT']}/{given['NAME']}"}


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_goes_on_with_nothing_doubled_and_nothing_lost(tmp_path: Path) -> None:
    a_topic("speech")
    file = tmp_path / "readers.csv"
    rows = "".join(f"reader{number}@example.org,speech\n" for number in range(ROWS))
    file.write_text(f"email,topics\n{rows}reader7@example.org,speech\n")
    started = {"cwd": settings.BASE_DIR, "env": environment(tmp_path)}

    victim = subprocess.Popen(command(file, "--consent-source", CONSENT), **started)  # type: ignore[call-overload]
    try:
        assert wait_until(lambda: Subscriber.objects.count() >= 2_000, seconds=60)
    finally:
        victim.kill()
        victim.wait()
    job = ImportJob.objects.get()
    committed = Subscriber.objects.count()
    assert 2_000 <= committed < ROWS, "it was killed too late to show anything"
    assert (job.state, job.done) == ("importing", committed)

    done = subprocess.run(command(file, "--resume"), check=False, capture_output=True, text=True, **started)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    assert f"stopped at row {committed:,} of {ROWS + 1:,}" in done.stdout
    job.refresh_from_db()
    assert (job.state, job.counts) == ("done", {"new": ROWS, "duplicate": 1})
    assert Subscriber.objects.count() == Preference.objects.count() == ConsentEvent.objects.count() == ROWS
    assert Subscriber.objects.values("address_key").distinct().count() == ROWS
