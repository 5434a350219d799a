from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from digest import terms
from digest.models import Delivery, Edition
from tests.cast import a_frozen_edition, a_paper, a_reader, a_topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition() -> Edition:
    vision = a_topic("vision")
    papers = [a_paper("Splats that move", vision), a_paper("A paper on speech", a_topic("speech"))]
    made = a_frozen_edition(date(2026, 3, 4), *papers)
    terms.compute(made)
    a_reader("ada@example.org", vision)
    return made


def preview(capsys: pytest.CaptureFixture[str], *given: str) -> str:
    call_command("preview", *given)
    return capsys.readouterr().out


@pytest.mark.usefixtures("edition")
def test_the_subject_and_the_text_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    out = preview(capsys, "Ada@EXAMPLE.org")
    assert out.startswith("Subject: Daily Papers, 4 March")
    assert "Why: You follow Vision" in out
    assert "Unsubscribe  http" in out


@pytest.mark.usefixtures("edition")
def test_the_parts_are_written_to_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    html, text, eml = (tmp_path / name for name in ("mail.html", "mail.txt", "mail.eml"))
    out = preview(capsys, "ada@example.org", "--html", str(html), "--text", str(text), "--eml", str(eml))
    assert [line.removeprefix("Wrote ") for line in out.splitlines()] == [str(html), str(text), str(eml)]
    message = message_from_bytes(eml.read_bytes(), policy=policy.SMTP)
    part = message.get_body(("html",))
    assert part is not None
    assert part.get_content().strip() == html.read_text().strip()
    assert "Splats that move" in text.read_text()


def test_a_preview_writes_nothing_to_the_database(
    capsys: pytest.CaptureFixture[str], edition: Edition
) -> None:
    with CaptureQueriesContext(connection) as queries:
        preview(capsys, "ada@example.org", "--day", str(edition.day))
    # PostgreSQL reads long answers through a cursor.
    reading = ("SELECT", "DECLARE", "FETCH", "CLOSE")
    changing = [query["sql"] for query in queries if not query["sql"].lstrip().upper().startswith(reading)]
    assert changing == []
    assert not Delivery.objects.exists()


def test_the_newest_edition_is_shown_unless_a_day_is_named(
    capsys: pytest.CaptureFixture[str], edition: Edition
) -> None:
    newer = a_frozen_edition(edition.day + timedelta(days=1), a_paper("Tomorrow's paper", upvotes=9))
    terms.compute(newer)
    a_frozen_edition(edition.day + timedelta(days=2), state=Edition.State.OPEN)
    assert "Tomorrow's paper" in preview(capsys, "ada@example.org")
    assert "Tomorrow's paper" not in preview(capsys, "ada@example.org", "--day", "2026-03-04")


def test_a_digest_that_left_is_shown_as_it_left(capsys: pytest.CaptureFixture[str], edition: Edition) -> None:
    paper = a_paper("Chosen then")
    reader = a_reader("ben@example.org")
    now = timezone.now()
    delivery = Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        state=Delivery.State.ACCEPTED,
        local_date=edition.day,
        not_before=now,
        expires_at=now,
        submitted_at=now,
        picks=[[paper.pk, "new today"]],
    )
    out = preview(capsys, "ben@example.org")
    assert "Chosen then" in out
    assert "Splats" not in out
    assert delivery.public_id in out


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["eve@example.org"], "Nobody is subscribed with 'eve@example.org'"),
        (["no address"], "Nobody is subscribed"),
        (["ada@example.org", "--day", "2020-01-01"], "No edition of 2020-01-01"),
        (["ada@example.org", "--html", "/nowhere/at/all.html"], "cannot be written"),
    ],
)
@pytest.mark.usefixtures("edition")
def test_what_cannot_be_shown_ends_with_a_sentence(given: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        call_command("preview", *given)
    assert caught.value.returncode == 1


def test_an_edition_without_a_paper_for_the_reader_says_so() -> None:
    a_reader("ada@example.org")
    terms.compute(a_frozen_edition(date(2026, 3, 4)))
    with pytest.raises(CommandError, match="has no paper for this reader"):
        call_command("preview", "ada@example.org")
