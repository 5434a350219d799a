"""Send a test to me: over a real connection, told in a sentence, counted and written down."""

import re
from datetime import date
from time import monotonic

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from digest import samples, trial
from digest.models import Delivery, Edition, Paper
from subscribers import limits
from subscribers.addresses import address_hash
from subscribers.models import AuditEvent, Suppression, SystemMail
from tests.cast import NOON, a_frozen_edition, a_reader
from tests.digest.access.people import browser_of
from tests.sinks.fault_smtp import FaultSMTP
from tests.sinks.smtp_sink import SmtpSink, free_port

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_server")]
WEDNESDAY = date(2026, 3, 4)
ME = "milena@example.org"


@pytest.fixture
def edition() -> Edition:
    samples.load(WEDNESDAY, NOON)
    return a_frozen_edition(WEDNESDAY, *Paper.objects.all(), state=Edition.State.FROZEN)


@pytest.fixture
def curator() -> Client:
    client = browser_of("curator")
    User.objects.update(email=ME)
    return client


def pressed(client: Client, edition: Edition, **said: str) -> str:
    """Press the button and return the sentence that the next page says."""
    answer = client.post(reverse("admin:edition_preview_test", args=[edition.pk]), said, follow=True)
    assert answer.status_code == 200
    (sentence,) = [str(message) for message in answer.context["messages"]]
    return sentence


def test_a_test_mail_arrives_as_the_mail_that_is_looked_at(
    edition: Edition, curator: Client, smtp_sink: SmtpSink
) -> None:
    sentence = pressed(curator, edition, **{"as": "vision-student"})
    assert sentence.startswith("Sent to m•••@example.org: the mail server took it.")
    (received,) = smtp_sink.received
    mail = received.message
    assert received.recipients == (ME,)
    assert str(mail["Subject"]).startswith("[Test] Daily Papers, 4 March: ")
    page = mail.get_body(("html",))
    text = mail.get_body(("plain",))
    assert page is not None
    assert text is not None
    assert "You get this because milena@example.org" in " ".join(str(text.get_content()).split())
    assert "25. " in str(text.get_content())
    assert "/u/1.dev.u.nobody" in str(page.get_content())


def test_each_test_mail_is_a_message_of_its_own_and_no_delivery(
    edition: Edition, curator: Client, smtp_sink: SmtpSink
) -> None:
    pressed(curator, edition)
    pressed(curator, edition)
    names = {str(mail["Message-ID"]) for mail in smtp_sink.messages}
    assert len(names) == 2
    assert all(re.fullmatch(r"<[A-Za-z0-9_-]{22}@paperboy\.example>", name) for name in names)
    assert not Delivery.objects.exists()
    assert not SystemMail.objects.exists()


def test_a_readers_mail_sent_as_a_test_names_neither_them_nor_their_address(
    edition: Edition, smtp_sink: SmtpSink
) -> None:
    owner, reader = browser_of("owner"), a_reader("somebody@example.org")
    User.objects.update(email=ME)
    owner.post(
        reverse("admin:edition_preview_ask", args=[edition.pk]), {"as": "reader", "who": reader.public_id}
    )
    assert "Sent to" in pressed(owner, edition, **{"as": "reader"})
    (received,) = smtp_sink.received
    assert b"somebody@example.org" not in received.raw
    assert reader.public_id.encode() not in received.raw


def test_it_is_written_down_without_the_address(
    edition: Edition, curator: Client, smtp_sink: SmtpSink
) -> None:
    pressed(curator, edition)
    event = AuditEvent.objects.get()
    assert (event.by_name, event.about) == ("curator-1", "edition of 2026-03-04")
    assert event.detail == "test mail to their own address: accepted"
    assert smtp_sink.received


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("rcpt 550", "the mail server refused this mail. It said: “550 5.1.1 User unknown”."),
        ("dot 554", "the mail server refused this mail. It said: “554 5.7.1 Message rejected as spam”."),
        ("rcpt 450", "the mail server does not take it now. It said: “450 4.2.1 Mailbox busy”."),
        ("close before banner", "there is no way to the mail server"),
        ("close after dot", "Nobody knows whether it left for m•••@example.org"),
    ],
)
def test_a_fault_of_the_mail_server_is_told_in_a_sentence(
    edition: Edition, curator: Client, settings: Settings, mode: str, sentence: str
) -> None:
    with FaultSMTP(mode) as sink:
        for name, value in sink.settings.items():
            setattr(settings, name, value)
        said = pressed(curator, edition)
    assert sentence in said
    assert ME not in said


def test_a_mail_server_that_is_away_is_told_in_a_sentence(
    edition: Edition, curator: Client, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "subscribers.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    assert "there is no way to the mail server" in pressed(curator, edition)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for one second in place of nine."""
    monkeypatch.setattr(trial, "SECONDS", 1.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("mode", ["hang before 354", "hang after dot"])
def test_a_mail_server_that_hangs_does_not_hold_the_page(
    edition: Edition, curator: Client, settings: Settings, mode: str
) -> None:
    with FaultSMTP(mode) as sink:
        for name, value in sink.settings.items():
            setattr(settings, name, value)
        started = monotonic()
        said = pressed(curator, edition)
    assert "Nobody knows whether it left" in said
    assert monotonic() - started < 4
    assert AuditEvent.objects.get().detail.endswith("unknown")


def test_the_eleventh_within_an_hour_waits(edition: Edition, curator: Client, smtp_sink: SmtpSink) -> None:
    for _ in range(limits.TESTS_PER_PERSON):
        assert "Sent to" in pressed(curator, edition)
    assert "10 test mails within an hour, which is the most" in pressed(curator, edition)
    assert len(smtp_sink.received) == limits.TESTS_PER_PERSON


def test_one_persons_count_is_not_anothers(edition: Edition, curator: Client, smtp_sink: SmtpSink) -> None:
    for _ in range(limits.TESTS_PER_PERSON):
        pressed(curator, edition)
    owner = browser_of("owner")
    User.objects.update(email=ME)
    assert "Sent to" in pressed(owner, edition)
    assert len(smtp_sink.received) == limits.TESTS_PER_PERSON + 1


def test_without_the_cache_the_log_counts(
    edition: Edition, curator: Client, smtp_sink: SmtpSink, settings: Settings
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    for _ in range(limits.TESTS_PER_PERSON):
        assert "Sent to" in pressed(curator, edition)
    assert "which is the most" in pressed(curator, edition)
    assert len(smtp_sink.received) == limits.TESTS_PER_PERSON


def test_an_address_on_the_suppression_list_gets_none(
    edition: Edition, curator: Client, smtp_sink: SmtpSink
) -> None:
    Suppression.objects.create(
        address_hash=address_hash(ME), reason=Suppression.Reason.REQUEST, source="admin", at=NOON
    )
    assert "suppression list" in pressed(curator, edition)
    assert smtp_sink.received == []


def test_an_edition_without_a_mail_sends_none(curator: Client, smtp_sink: SmtpSink) -> None:
    edition = Edition.objects.create(day=WEDNESDAY, opened_at=NOON)
    assert pressed(curator, edition).startswith("Nothing was sent. Nothing is frozen yet")
    assert smtp_sink.received == []


def test_who_may_not_shape_an_edition_sends_none(edition: Edition, smtp_sink: SmtpSink) -> None:
    operator = browser_of("operator")
    for name in ("test", "my_address"):
        url = reverse(f"admin:edition_preview_{name}", args=[edition.pk])
        assert operator.post(url, {"email": ME}).status_code == 403
    assert (
        "Send a test"
        not in operator.get(reverse("admin:edition_preview", args=[edition.pk])).content.decode()
    )
    assert smtp_sink.received == []


def test_an_account_without_an_address_is_led_to_write_one(edition: Edition, smtp_sink: SmtpSink) -> None:
    client = browser_of("curator")
    page = client.get(reverse("admin:edition_preview", args=[edition.pk])).content.decode()
    assert "To send yourself a test, write your address" in page
    assert "no address that can be written to" in pressed(client, edition)
    url = reverse("admin:edition_preview_my_address", args=[edition.pk])
    answer = client.post(url, {"email": "Milena@EXAMPLE.org"}, follow=True)
    assert "Test mails go to M•••@example.org from now on." in answer.content.decode()
    assert User.objects.get().email == "Milena@example.org"
    assert "Send a test to M•••@example.org" in answer.content.decode()
    assert "@" not in AuditEvent.objects.get().detail
    assert "Sent to" in pressed(client, edition)
    assert smtp_sink.received[0].recipients == ("Milena@example.org",)


@pytest.mark.parametrize("given", ["", "milena", "milena@localhost", "a@b.org, c@d.org", "x" * 300])
def test_an_address_that_is_none_is_refused_and_kept_in_the_field(edition: Edition, given: str) -> None:
    client = browser_of("curator")
    answer = client.post(
        reverse("admin:edition_preview_my_address", args=[edition.pk]), {"email": given, "as": "curious"}
    )
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not given or f'value="{given}"' in answer.content.decode()
    assert User.objects.get().email == ""


def test_only_ones_own_address_is_written(edition: Edition, curator: Client) -> None:
    other = User.objects.create_user("other", email="other@example.org", password="a-long-enough-word")
    curator.post(reverse("admin:edition_preview_my_address", args=[edition.pk]), {"email": "new@example.org"})
    other.refresh_from_db()
    assert other.email == "other@example.org"
