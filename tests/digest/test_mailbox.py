from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from pytest_django import Settings

from digest import mailbox
from subscribers import links
from subscribers.mail import compose_system

AT = datetime(2026, 3, 4, 7, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.MAILBOX_DIR = tmp_path / "mailbox"
    return tmp_path / "mailbox"


def a_mail(subject: str = "Grüße", to: str = "ada@example.org") -> EmailMultiAlternatives:
    return compose_system(
        to=to,
        subscriber_public_id="r" * 22,
        message_public_id="m" * 22,
        subject=subject,
        html="<html><head></head><body><p>Hällo</p></body></html>",
        text="Hällo",
        at=AT,
    )


def send(*messages: EmailMultiAlternatives) -> int:
    return int(get_connection("digest.mailbox.EmailBackend").send_messages(list(messages)) or 0)


def test_every_message_becomes_one_file_with_its_bytes(folder: Path) -> None:
    assert send(a_mail(), a_mail()) == 2
    files = sorted(folder.iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert files[0].read_bytes() == a_mail().message().as_bytes()


def test_the_list_is_newest_first_and_ignores_what_is_no_mail(folder: Path) -> None:
    assert mailbox.names() == []
    for subject in ("first", "second", "third"):
        send(a_mail(subject))
    for stranger in (".00000000000000000001-00000000.tmp", "notes.eml", "x.txt"):
        (folder / stranger).write_text("Subject: not a mail")
    assert [mailbox.summary(name).subject for name in mailbox.names()] == ["third", "second", "first"]


def test_a_message_can_be_put_on_top_and_stays_the_same() -> None:
    for subject in ("first", "second"):
        send(a_mail(subject))
    moved = mailbox.put_on_top(mailbox.names()[-1])
    assert mailbox.names()[0] == moved
    assert [mailbox.summary(name).subject for name in mailbox.names()] == ["first", "second"]
    assert mailbox.read(moved).octets == a_mail("first").message().as_bytes()


def test_a_summary_says_to_whom_what_and_when() -> None:
    send(a_mail())
    (name,) = mailbox.names()
    summary = mailbox.summary(name)
    assert (summary.to, summary.subject, summary.at) == ("ada@example.org", "Grüße", AT)


def test_a_message_is_read_whole() -> None:
    send(a_mail())
    mail = mailbox.read(mailbox.names()[0])
    assert "<p>Hällo</p>" in mail.html
    assert mail.text == "Hällo\n"
    assert ("List-Unsubscribe", f"<{links.unsubscribe_url('r' * 22)}>") in mail.headers
    assert mail.octets == a_mail().message().as_bytes()


@pytest.mark.parametrize(
    "name",
    ["", "x", "../secret", "00000000000000000001-00000000/../../secret", "00000000000000000001-0000000g"],
)
def test_no_name_leads_out_of_the_mailbox(folder: Path, name: str) -> None:
    folder.mkdir()
    (folder.parent / "secret.eml").write_text("Subject: secret")
    for look in (mailbox.read, mailbox.summary):
        with pytest.raises(mailbox.NoSuchMailError):
            look(name)


def test_a_message_that_was_deleted_is_not_there(folder: Path) -> None:
    send(a_mail())
    (name,) = mailbox.names()
    (folder / f"{name}.eml").unlink()
    with pytest.raises(mailbox.NoSuchMailError):
        mailbox.read(name)


@pytest.mark.parametrize(
    "octets", [b"", b"\xff\xfe", b"Date: nonsense\n\n\xff", b"Subject: =?bad?x?=\n\nplain"]
)
def test_a_damaged_file_is_shown_as_far_as_it_goes(folder: Path, octets: bytes) -> None:
    folder.mkdir()
    (folder / "00000000000000000001-00000000.eml").write_bytes(octets)
    assert mailbox.summary("00000000000000000001-00000000").at is None
    assert mailbox.read("00000000000000000001-00000000").html == ""


def test_a_message_that_cannot_be_written_is_an_error_even_when_silence_is_asked_for(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(FileExistsError):
        get_connection("digest.mailbox.EmailBackend", fail_silently=True).send_messages([a_mail()])


@pytest.mark.parametrize(
    ("debug", "backend", "used"),
    [
        (True, "digest.mailbox.EmailBackend", True),
        (False, "digest.mailbox.EmailBackend", False),
        (True, "subscribers.smtp.EmailBackend", False),
    ],
)
def test_the_mailbox_is_in_use_in_development_with_its_backend_only(
    settings: Settings, debug: bool, backend: str, used: bool
) -> None:
    settings.DEBUG, settings.EMAIL_BACKEND = debug, backend
    assert mailbox.in_use() is used
