"""System mails: what they say, and that they cannot be bent."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from pytest_django import Settings

from subscribers import letters, lifecycle
from subscribers.consent import Trace, binding_of
from subscribers.links import Purpose, read
from subscribers.models import SystemMail
from tests.cast import NOON, a_reader

pytestmark = pytest.mark.django_db


class Links(HTMLParser):
    """Collects every address an HTML document leads to or loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "href" and tag == "a":
                self.hrefs.append(value or "")
            elif name in {"src", "background"} or (name == "href" and tag == "link"):
                self.loads.append(value or "")


def a_letter(kind: SystemMail.Kind) -> SystemMail:
    if kind == SystemMail.Kind.ALREADY_SUBSCRIBED:
        a_reader("ada@example.org")
    lifecycle.sign_up("ada@example.org", [], at=NOON, trace=Trace("test"))
    return SystemMail.objects.get(kind=kind)


def parsed(mail: SystemMail) -> tuple[EmailMessage, str, str]:
    """Return the message as a stranger's program reads it, its text and its HTML."""
    message = message_from_bytes(letters.compose(mail, at=NOON).message().as_bytes(), policy=policy.SMTP)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return message, text.get_content(), html.get_content()


def the_link(text: str, path: str) -> str:
    return next(word for word in text.split() if path in word)


def test_a_confirmation_carries_a_working_link_in_both_parts() -> None:
    mail = a_letter(SystemMail.Kind.CONFIRM)
    message, text, html = parsed(mail)
    link = the_link(text, "/confirm/")
    claims = read(link.rpartition("/")[2], Purpose.CONFIRM, NOON)
    assert (claims.subject, claims.extra) == (mail.subscriber.public_id, binding_of(mail.subscriber))
    assert Links(html).hrefs.count(link) == 2  # the button, and the address in full for those without buttons
    assert message["Subject"] == "Confirm your subscription to Daily Papers"
    assert message["To"] == "ada@example.org"


def test_an_active_reader_is_shown_the_way_to_their_choices() -> None:
    mail = a_letter(SystemMail.Kind.ALREADY_SUBSCRIBED)
    message, text, html = parsed(mail)
    link = the_link(text, "/preferences/")
    assert read(link.rpartition("/")[2], Purpose.PREFERENCES, NOON).subject == mail.subscriber.public_id
    assert link in Links(html).hrefs
    assert message["Subject"] == "You are already subscribed to Daily Papers"


@pytest.mark.parametrize("kind", SystemMail.Kind)
def test_every_letter_has_a_way_out_a_sender_and_nothing_from_elsewhere(
    kind: SystemMail.Kind, settings: Settings
) -> None:
    mail = a_letter(kind)
    message, text, html = parsed(mail)
    for part in (text, html):
        assert settings.POSTAL_ADDRESS in part
        assert settings.LIST_NAME in part
        assert f"{settings.SITE_URL}/u/" in part
        assert "SLOT" not in part
    found = Links(html)
    assert found.loads == []
    assert all(href.startswith(f"{settings.SITE_URL}/") for href in found.hrefs)
    assert "@import" not in html
    assert "url(" not in html
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{mail.public_id}@{settings.MAIL_DOMAIN}>"


def test_the_same_letter_tried_again_is_the_same_bytes() -> None:
    mail = a_letter(SystemMail.Kind.CONFIRM)
    first, second = (letters.compose(mail, at=NOON).message().as_bytes() for _ in range(2))
    assert first == second


def test_a_list_name_with_markup_is_text_in_the_html_and_itself_in_the_text(settings: Settings) -> None:
    settings.LIST_NAME = 'Papers & <b>"Proofs"</b> {{ 7*7 }}'
    message, text, html = parsed(a_letter(SystemMail.Kind.CONFIRM))
    assert settings.LIST_NAME in text
    assert "Papers &amp; &lt;b&gt;&quot;Proofs&quot;&lt;/b&gt; {{ 7*7 }}" in html
    assert "<b>" not in html
    assert message["Subject"] == f"Confirm your subscription to {settings.LIST_NAME}"


def test_no_line_is_longer_than_mail_allows_with_the_longest_of_settings(settings: Settings) -> None:
    settings.LIST_NAME, settings.BYLINE, settings.POSTAL_ADDRESS = "L" * 60, "&" * 60, "語" * 200
    settings.SITE_URL = "https://" + "papers." * 12 + "example.org/some/deep/path"
    raw = letters.compose(a_letter(SystemMail.Kind.CONFIRM), at=NOON).message().as_bytes()
    assert max(map(len, raw.splitlines())) <= 998
