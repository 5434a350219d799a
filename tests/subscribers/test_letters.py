"""System mails: what they say, and that they cannot be bent."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from pytest_django import Settings

from subscribers import account_links, address_changes, letters, lifecycle
from subscribers.addresses import address_hash
from subscribers.consent import Trace, binding_of
from subscribers.links import Purpose, address_binding, read
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


NEW = "ada@new.example.org"


def a_letter(kind: SystemMail.Kind) -> SystemMail:
    """Return a mail of `kind` from the outbox, put there by what causes it."""
    trace = Trace("test")
    if kind in {SystemMail.Kind.CONFIRM, SystemMail.Kind.ALREADY_SUBSCRIBED}:
        if kind == SystemMail.Kind.ALREADY_SUBSCRIBED:
            a_reader("ada@example.org")
        lifecycle.sign_up("ada@example.org", [], at=NOON, trace=trace)
        return SystemMail.objects.get(kind=kind)
    reader = a_reader("ada@example.org")
    if kind == SystemMail.Kind.ACCOUNT:
        account_links.mail_link(reader.public_id, at=NOON)
    else:
        address_changes.ask(reader.public_id, NEW, at=NOON, trace=trace)
    if kind == SystemMail.Kind.ADDRESS_CHANGED:
        address_changes.agree(reader.public_id, address_binding(address_hash(NEW)), at=NOON, trace=trace)
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


def test_the_link_to_the_account_is_fresh_and_stands_in_both_parts() -> None:
    mail = a_letter(SystemMail.Kind.ACCOUNT)
    message, text, html = parsed(mail)
    link = the_link(text, "/account/")
    claims = read(link.rpartition("/")[2], Purpose.ACCOUNT, NOON)
    assert (claims.subject, claims.issued_at) == (mail.subscriber.public_id, NOON)
    assert Links(html).hrefs.count(link) == 2
    assert message["To"] == "ada@example.org"
    assert "/preferences/" not in text + html


def test_the_owner_of_a_new_address_is_asked_there_without_a_word_about_the_old_one() -> None:
    mail = a_letter(SystemMail.Kind.NEW_ADDRESS)
    message, text, html = parsed(mail)
    link = the_link(text, "/address/")
    claims = read(link.rpartition("/")[2], Purpose.NEW_ADDRESS, NOON)
    assert (claims.subject, claims.extra) == (
        mail.subscriber.public_id,
        address_binding(address_hash(NEW)),
    )
    assert Links(html).hrefs.count(link) == 2
    assert message["To"] == NEW
    assert "ada@example.org" not in message.as_string()
    for key in ("/preferences/", "/account/"):
        assert key not in text + html


def test_unsubscribing_from_an_address_that_is_only_asked_names_that_address() -> None:
    mail = a_letter(SystemMail.Kind.NEW_ADDRESS)
    message, text, html = parsed(mail)
    link = the_link(text, "/u/")
    claims = read(link.rpartition("/")[2], Purpose.UNSUBSCRIBE, NOON)
    assert (claims.subject, claims.extra) == (
        mail.subscriber.public_id,
        address_binding(address_hash(NEW)),
    )
    assert message["List-Unsubscribe"] == f"<{link}>"
    assert link in Links(html).hrefs


def test_the_old_address_is_told_and_given_no_key_to_anything(settings: Settings) -> None:
    settings.CONTACT_EMAIL = "desk@example.org"
    message, text, html = parsed(a_letter(SystemMail.Kind.ADDRESS_CHANGED))
    assert message["To"] == "ada@example.org"
    assert NEW not in message.as_string()
    for key in ("/preferences/", "/account/", "/address/"):
        assert key not in text + html
    for part in (text, html):
        assert "last mail to the old one" in " ".join(part.split())
        assert settings.CONTACT_EMAIL in part


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


@pytest.mark.parametrize("kind", SystemMail.Kind)
def test_no_line_is_longer_than_mail_allows_with_the_longest_of_settings(
    kind: SystemMail.Kind, settings: Settings
) -> None:
    settings.LIST_NAME, settings.BYLINE, settings.POSTAL_ADDRESS = "L" * 60, "&" * 60, "語" * 200
    settings.SITE_URL = "https://" + "papers." * 12 + "example.org/some/deep/path"
    raw = letters.compose(a_letter(kind), at=NOON).message().as_bytes()
    assert max(map(len, raw.splitlines())) <= 998
