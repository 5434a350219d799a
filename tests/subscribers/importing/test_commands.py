"""import_readers and export_readers, as an operator meets them."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from subscribers.importing import running
from subscribers.models import ImportJob, Subscriber
from tests.cast import a_reader, a_topic
from tests.subscribers.importing.files import CONSENT, here, many, plain

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str | Path) -> str:
    """Run the command and return what it prints."""
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out, verbosity=1)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with two good rows, one bad and one doubled."""
    path = tmp_path / "readers.csv"
    path.write_text(
        "email,topics\nada@example.org,speech\nnonsense,\nben@example.org,cooking\nada@example.org,\n"
    )
    return path


def test_it_imports_and_prints_the_account_without_addresses(file: Path) -> None:
    a_topic("speech")
    printed = run("import_readers", file, "--consent-source", CONSENT)
    assert here() == {"ada@example.org", "ben@example.org"}
    assert printed == (
        "readers.csv: Plain CSV, UTF-8, 4 rows\n"
        "        2  New readers\n"
        "        1  In the file before\n"
        "        1  Cannot be read\n"
        "  tag “speech” (1 new readers): topic speech\n"
        "  tag “cooking” (1 new readers): no topic of ours\n"
        "  line 3: An email address looks like name@example.org.\n"
        "  line 5: This address stands further up in the file.\n"
    )


def test_a_dry_run_needs_no_consent_prints_the_same_and_leaves_nothing_behind(file: Path) -> None:
    printed = run("import_readers", file, "--dry-run")
    assert "        2  New readers\n" in printed
    assert printed.endswith("This was a dry run: nothing has changed.\n")
    assert here() == set()
    assert list((file.parent / "imports").iterdir()) == []
    assert ImportJob.objects.get().state == ImportJob.State.CANCELLED


@pytest.mark.parametrize(
    ("arguments", "sentence", "code"),
    [
        ([], "Say in a sentence where and when", 2),
        (["--consent-source", "yes"], "Say in a sentence where and when", 2),
        (["--resume"], "No import of readers.csv has stopped half-way", 1),
        (["--dry-run", "--resume"], "Choose one of --dry-run and --resume.", 2),
        (
            ["--consent-source", CONSENT, "--format", "listmonk"],
            "The first line does not name the columns",
            1,
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    file: Path, arguments: list[str], sentence: str, code: int
) -> None:
    with pytest.raises(CommandError) as refused:
        run("import_readers", file, *arguments)
    assert str(refused.value).startswith(sentence)
    assert refused.value.returncode == code
    assert here() == set()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        run("import_readers", tmp_path / "none.csv", "--consent-source", CONSENT)


@pytest.mark.parametrize("arguments", [["--resume"], ["--consent-source", CONSENT]])
def test_an_import_that_stopped_goes_on_by_resume_or_by_running_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(running, "BATCH", 10)
    path = tmp_path / "readers.csv"
    path.write_text(plain(*many(25)))
    with monkeypatch.context() as plug:
        plug.setattr(running, "reset_queries", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run("import_readers", path, "--consent-source", CONSENT)
    assert len(here()) == 10
    printed = run("import_readers", path, *arguments)
    assert printed.startswith("Going on with the import of this file that stopped at row 10 of 25.\n")
    assert len(here()) == 25
    assert ImportJob.objects.get().counts == {"new": 25}


def test_another_consent_source_for_a_stopped_import_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(plain(*many(5)))
    monkeypatch.setattr(running, "reset_queries", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run("import_readers", path, "--consent-source", CONSENT)
    with pytest.raises(CommandError, match="with another consent source"):
        run("import_readers", path, "--consent-source", "They wrote to us, one by one, in 2024.")


def test_more_than_twenty_problems_are_left_to_the_admin(tmp_path: Path) -> None:
    path = tmp_path / "readers.csv"
    path.write_text(plain(*["nonsense"] * 30))
    printed = run("import_readers", path, "--consent-source", CONSENT)
    assert printed.count("  line ") == 20
    assert "the admin has all of them" in printed


def test_export_writes_a_new_file_for_its_owner_alone(tmp_path: Path) -> None:
    a_reader("ada@example.org", a_topic("speech"))
    a_reader("gone@example.org", status=Subscriber.Status.UNSUBSCRIBED)
    path = tmp_path / "out.csv"
    assert run("export_readers", path) == f"1 readers written to {path}.\n"
    assert path.stat().st_mode & 0o777 == 0o600
    header, row = path.read_text().splitlines()
    assert header == "email,topics,words,time_zone,frequency,subscribed_at,status"
    assert row == "ada@example.org,speech,,UTC,daily,2026-02-22T12:00:00Z,active"
    with pytest.raises(CommandError, match="is there already"):
        run("export_readers", path)
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        run("export_readers", tmp_path / "none" / "out.csv")


def test_export_goes_to_standard_output_when_no_file_is_named() -> None:
    a_reader("ada@example.org")
    a_reader("gone@example.org", status=Subscriber.Status.UNSUBSCRIBED)
    printed = run("export_readers", "--status", "all", "--format", "listmonk")
    assert printed.splitlines()[0] == "email,name,attributes,status,created_at"
    assert [line.rsplit(",", 2)[1] for line in printed.splitlines()[1:]] == ["enabled", "disabled"]
