import re
from datetime import UTC, date, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.generator import BytesGenerator
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from subscribers import links, mail
from subscribers.mail import MailError, compose_digest, compose_system

AT = datetime(2026, 3, 4, 7, 30, tzinfo=UTC)
READER, DELIVERY = "r" * 22, "d" * 22
UNSUBSCRIBE = links.unsubscribe_url(READER, DELIVERY)
ONCE = [
    "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Unsubscribe",
    "List-Unsubscribe-Post", "List-Id", "Feedback-ID", "X-Auto-Response-Suppress", "Precedence",
    "Content-Type",
]  # fmt: skip


def a_digest(**changes: object) -> EmailMultiAlternatives:
    given: dict[str, Any] = {
        "to": "ada@example.org",
        "subscriber_public_id": READER,
        "delivery_public_id": DELIVERY,
        "edition_day": date(2026, 3, 4),
        "subject": "Daily Papers, 4 March: Ünïted + 9 more",
        "html": f"<html><body>\n<p>Grüße</p>\n<a href='{UNSUBSCRIBE}'>Leave</a></body></html>",
        "text": f"Grüße\n{UNSUBSCRIBE}",
        "at": AT,
    }
    return compose_digest(**{**given, **changes})


def a_system_mail(**changes: object) -> EmailMultiAlternatives:
    given: dict[str, Any] = {
        "to": "ada@example.org",
        "subscriber_public_id": READER,
        "message_public_id": "m" * 22,
        "subject": "Confirm",
        "html": "<p>Hello</p>",
        "text": "Hello",
    }
    return compose_system(**{**given, **changes})


def octets(message: EmailMultiAlternatives, linesep: str = "\r\n") -> bytes:
    # Django's own way to say it; the stubs describe Django 6.
    return message.message().as_bytes(linesep=linesep)  # type: ignore[call-arg]


def parsed(message: EmailMultiAlternatives) -> EmailMessage:
    return message_from_bytes(octets(message), policy=policy.SMTP.clone(raise_on_defect=True))


@pytest.mark.parametrize("name", ONCE)
def test_a_digest_has_each_header_exactly_once(name: str) -> None:
    assert len(parsed(a_digest()).get_all(name, [])) == 1


def test_a_digest_parses_strictly_into_text_first_and_html_last() -> None:
    message = parsed(a_digest())
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part["Content-Transfer-Encoding"] for part in message.iter_parts()] == ["8bit", "8bit"]
    assert all("Grüße" in part.get_content() for part in message.iter_parts())
    assert message["Subject"] == "Daily Papers, 4 March: Ünïted + 9 more"


def test_the_message_id_is_the_delivery_and_the_date_is_the_given_moment(settings: Settings) -> None:
    message = parsed(a_digest(at=AT.astimezone(timezone(timedelta(hours=9)))))
    assert message["Message-ID"] == f"<{DELIVERY}@{settings.MAIL_DOMAIN}>"
    assert message["Date"].datetime == AT
    assert message["Date"] == "Wed, 04 Mar 2026 07:30:00 +0000"


def test_one_click_unsubscribe_names_one_address_and_the_post_word() -> None:
    message = parsed(a_digest())
    assert message["List-Unsubscribe"] == f"<{UNSUBSCRIBE}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_feedback_id_has_four_fields_a_constant_sender_and_no_person() -> None:
    ours, theirs = (parsed(a_digest(to=to))["Feedback-ID"] for to in ("ada@example.org", "ben@example.org"))
    assert ours == theirs
    assert re.fullmatch(r"20260304:digest:[^:@]+:[a-z0-9]{5,15}", ours)


def test_provider_metadata_names_the_delivery() -> None:
    message = a_digest()
    assert message.metadata == {"delivery": DELIVERY}  # type: ignore[attr-defined]  # read by Anymail
    assert message.tags == ["digest"]  # type: ignore[attr-defined]


def test_the_same_arguments_give_the_same_bytes_and_another_delivery_others() -> None:
    first = a_digest().message().as_bytes()
    assert a_digest().message().as_bytes() == first
    other = links.unsubscribe_url(READER, "e" * 22)
    changed = a_digest(delivery_public_id="e" * 22, html=other, text=other)
    assert changed.message().get_boundary() != a_digest().message().get_boundary()


@pytest.mark.parametrize("linesep", ["\n", "\r\n"])
def test_the_quick_serialiser_writes_what_the_standard_generator_writes(linesep: str) -> None:
    message = a_digest(subject="Plain" + " words" * 25)
    standard = BytesIO()
    BytesGenerator(standard, mangle_from_=False).flatten(message.message(), linesep=linesep)
    assert octets(message, linesep) == standard.getvalue()


def test_no_line_is_longer_than_the_standard_allows_and_none_ends_in_half_a_break() -> None:
    written = octets(a_digest(subject="Ü" * 150))
    lines = written.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert b"List-Unsubscribe: <http" in written  # not folded right after its name


@pytest.mark.parametrize("body", ["html", "text"])
def test_a_line_too_long_is_refused_at_the_byte_where_it_is_too_long(body: str) -> None:
    a_digest(**{body: "é" * 499 + "\n" + UNSUBSCRIBE})
    with pytest.raises(MailError, match="998"):
        a_digest(**{body: "é" * 500 + "\n" + UNSUBSCRIBE})


@pytest.mark.parametrize("body", ["html", "text"])
def test_a_digest_without_its_unsubscribe_link_cannot_be_made(body: str) -> None:
    with pytest.raises(MailError, match="unsubscribe link"):
        a_digest(**{body: "Hello"})


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1c", "\r", "\x7f", "\ud800"])
def test_a_control_character_in_a_body_is_refused(character: str) -> None:
    with pytest.raises(MailError):
        a_digest(text=f"{UNSUBSCRIBE} {character}")


@pytest.mark.parametrize(
    "character", ["\r\nBcc: eve@example.org", "\n", "\x00", "\x0b", "\x1c", "\x85", "\u2028"]
)
def test_a_subject_that_could_become_a_header_is_refused(character: str) -> None:
    with pytest.raises(MailError, match="Subject"):
        a_digest(subject=f"Daily{character}")
    message = a_digest()
    message.subject = f"Daily{character}"
    with pytest.raises(MailError, match="Subject"):
        message.message()


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\n",
        "ada\x00@example.org",
        "ada@example.org, eve@example.org",
        "ada,eve@example.org",
        "Ada <ada@example.org>",
        "josé@example.org",
        "ada",
        "@example.org",
        "",
    ],
)
def test_an_address_that_is_not_one_plain_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(MailError) as caught:
        a_digest(to=address)
    assert "ada" not in str(caught.value).replace("The address", "")


def test_a_local_part_of_unusual_but_allowed_characters_stays_as_it_is() -> None:
    assert parsed(a_digest(to="o'brien+papers=1@example.org"))["To"] == "o'brien+papers=1@example.org"


@pytest.mark.parametrize("public_id", ["", "with space", "a\r\nb", "x" * 65, "<id>"])
def test_an_id_that_could_break_out_of_the_message_id_is_refused(public_id: str) -> None:
    with pytest.raises(MailError, match="id"):
        a_system_mail(message_public_id=public_id)


def test_in_production_the_unsubscribe_link_must_be_https(settings: Settings) -> None:
    settings.DEBUG = False
    settings.SITE_URL = "http://papers.example.org"
    with pytest.raises(MailError, match="https"):
        a_system_mail()
    settings.SITE_URL = "https://papers.example.org"
    assert parsed(a_system_mail())["List-Unsubscribe"].startswith("<https://papers.example.org/u/")


def test_a_system_mail_says_that_a_machine_wrote_it_and_has_its_own_id(settings: Settings) -> None:
    message = parsed(a_system_mail(at=AT))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{'m' * 22}@{settings.MAIL_DOMAIN}>"
    assert message["List-Unsubscribe"] == f"<{links.unsubscribe_url(READER)}>"
    assert "Precedence" not in message
    assert message["Date"].datetime == AT


def test_a_system_mail_without_a_moment_is_dated_now() -> None:
    age = datetime.now(UTC) - parsed(a_system_mail())["Date"].datetime
    assert timedelta(0) <= age < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Daily Papers", "Daily Papers"), ('Papers, "daily"', '"Papers, \\"daily\\""'), ("Täglich", "=?utf-8?")],
)
def test_the_list_id_survives_any_list_name(settings: Settings, name: str, shown: str) -> None:
    settings.LIST_NAME, settings.LIST_ID = name, "daily.example.org"
    raw = dict(a_digest().message().raw_items())["List-Id"]
    assert raw.startswith(shown)
    assert raw.endswith(" <daily.example.org>")


def test_a_sender_name_too_long_for_providers_is_left_out(settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = f"{'Ünï ' * 40}<papers@example.org>"
    assert parsed(a_digest())["From"] == "papers@example.org"
    settings.DEFAULT_FROM_EMAIL = "Täglich <papers@example.org>"
    assert parsed(a_digest())["From"] == "Täglich <papers@example.org>"


@pytest.mark.parametrize(
    ("domain", "sender"), [("a.io", "aio00"), ("papers.institute.example", "papersinstitute")]
)
def test_the_sender_id_has_5_to_15_characters(domain: str, sender: str) -> None:
    assert mail._sender_id(domain) == sender
