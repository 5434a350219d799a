"""manage.py ingest: arguments, receipts, exit codes."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from digest.management.commands.ingest import Command
from digest.models import IngestRun, Paper
from tests.digest.loopback import Asked, Loopback, Reply
from tests.digest.wire import atom, daily_papers, featured, feed_entry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _good_sources(far_end: Loopback) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/api/daily_papers":
            return Reply(daily_papers(featured("2603.00001"), featured(title=None)))
        return Reply(atom(feed_entry("2603.00001")))

    far_end.answer = answer


def ingest(*arguments: str) -> str:
    out = StringIO()
    call_command("ingest", *arguments, stdout=out)
    return out.getvalue()


def test_the_days_that_end_at_day_are_asked_and_receipted(far_end: Loopback) -> None:
    printed = ingest("huggingface", "--day", "2026-03-04", "--days", "3")
    assert [asked.query["date"] for asked in far_end.asked] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    rows = [line.split() for line in printed.splitlines() if line.startswith("huggingface")]
    assert [row[2:] for row in rows] == [
        ["2026-03-02", "complete", "2", "1", "0", "0", "1"],
        ["2026-03-03", "complete", "2", "0", "0", "1", "1"],
        ["2026-03-04", "complete", "2", "0", "0", "1", "1"],
    ]
    assert "skipped: title is missing (1)" in printed
    assert printed.splitlines()[-1].split() == ["3", "runs", "6", "1", "0", "2", "3"]


def test_a_weekend_of_arxiv_is_receipted_without_a_question(far_end: Loopback) -> None:
    printed = ingest("arxiv", "--day", "2026-03-01", "--days", "2")
    assert printed.count("quiet") == 4
    assert far_end.asked == []


def test_a_failed_run_prints_its_receipt_and_ends_with_1(far_end: Loopback) -> None:
    far_end.in_turn(Reply(b"[{"))
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 1 runs failed") as caught:
        call_command("ingest", "huggingface", "--day", "2026-03-04", stdout=out)
    assert caught.value.returncode == 1
    assert "Hugging Face answered with broken JSON instead of a list of papers." in out.getvalue()
    assert IngestRun.objects.get().state == "failed"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["medrxiv"], "There is no source 'medrxiv'. Choose from: huggingface, arxiv."),
        (["--day", "2999-01-01"], "lies in the future"),
        (["--day", "yesterday"], "Write it YYYY-MM-DD"),
        (["--day", "20260304"], "Write it YYYY-MM-DD"),
        (["--days", "0"], "not a number of days"),
        (["--days", "-3"], "not a number of days"),
        (["--days", "99999"], "Use 1 to 3660"),
    ],
)
def test_nonsense_is_refused_with_a_sentence_and_asks_nobody(
    far_end: Loopback, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        ingest(*arguments)
    assert caught.value.returncode in {1, 2}  # argparse's own errors become 2 on a command line
    assert far_end.asked == []
    assert not Paper.objects.exists()


def test_the_help_says_what_the_exit_codes_mean() -> None:
    text = Command().create_parser("manage.py", "ingest").format_help()
    assert "Exit codes" in text
    assert "huggingface or arxiv" in text
