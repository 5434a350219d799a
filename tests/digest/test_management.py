"""How every command reads a day, and what it says without a database."""

import os
import subprocess
import sys
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from digest.management.base import a_day, whats_wrong_with_the_database
from digest.models import Edition
from tests.sinks.smtp_sink import free_port

COMMANDS = (
    ("ingest", "huggingface", "--day", "2026-03-04"),
    ("edition", "--day", "2026-03-04", "--freeze"),
    ("deliver",),
    ("preview", "ada@example.org"),
    ("seed", "--readers", "3"),
)


def managed(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py as a person does, with `folder` for its data and nothing else set."""
    clean = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), "PAPERBOY_ENV_FILE": os.devnull}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env={**clean, **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_without_tables_a_command_says_to_migrate(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = managed(tmp_path, *command, HUGGINGFACE_URL=f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == "CommandError: The database is not set up: run `manage.py migrate` first."
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_without_a_server_a_command_names_it_and_keeps_the_password(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    port = free_port()
    done = managed(tmp_path, *command, DATABASE_URL=f"postgres://ada:hunter2@127.0.0.1:{port}/paperboy")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"CommandError: The database at 127.0.0.1:{port} cannot be reached: ")
    assert last.endswith("Connection refused. Check DATABASE_URL.")
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_a_file_that_is_no_place_for_a_database_is_named(tmp_path: Path) -> None:
    nowhere = tmp_path / "absent" / "db.sqlite3"
    done = managed(tmp_path, "deliver", DATABASE_URL=f"sqlite:///{nowhere}")
    assert done.returncode == 1
    assert f"The database {nowhere} cannot be opened" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_fault_that_is_not_the_databases_absence_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise DatabaseError("syntax error")

    monkeypatch.setattr("digest.editions.open_edition", broken)
    with pytest.raises(DatabaseError, match="syntax error"):
        call_command("edition", day=date(2026, 3, 4))
    assert whats_wrong_with_the_database() == ""


def test_a_day_is_written_in_one_way() -> None:
    assert a_day("2026-03-04") == date(2026, 3, 4)
    for text in ("foo", "20260304", "2026-W10-3", "2026-3-4", "2026-02-30", "1990-12-31", ""):
        with pytest.raises(ArgumentTypeError, match="is not a date since 1991"):
            a_day(text)


@pytest.mark.django_db
@pytest.mark.parametrize("command", [["ingest"], ["edition"], ["deliver"], ["preview", "ada@example.org"]])
def test_every_command_reads_a_day_in_that_way(command: list[str]) -> None:
    for text in ("foo", "0044-03-15"):
        with pytest.raises(CommandError, match=f"{text}' is not a date since 1991. Write it YYYY-MM-DD."):
            call_command(*command, "--day", text)
    assert not Edition.objects.exists()
