"""The privacy page says what is done, in the figures by which it is done."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from digest.configuration import PROVIDERS
from subscribers import links, retention
from subscribers.links import Purpose
from subscribers.models import ConsentText, LeavingReason, Subscriber
from subscribers.views.privacy import CARRIERS, in_words
from tests.cast import NOON, a_reader, the_wording

pytestmark = pytest.mark.django_db

FIGURES = [name for name in dir(retention) if isinstance(getattr(retention, name), timedelta)]


def the_page(client: Client) -> str:
    answer = client.get("/privacy/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


@pytest.mark.parametrize("name", FIGURES)
def test_every_period_of_retention_is_on_the_page_as_it_is_now(
    client: Client, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert in_words(getattr(retention, name)) in text_of(the_page(client))
    assert "777 days" not in the_page(client)
    monkeypatch.setattr(retention, name, timedelta(days=777))
    assert "777 days" in text_of(the_page(client))


def test_a_changed_figure_changes_the_deed_with_the_text(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    LeavingReason.objects.create(reason="other", at=NOON)
    a_reader(status=Subscriber.Status.UNSUBSCRIBED, status_at=NOON)
    monkeypatch.setattr(retention, "LEAVING_REASONS", timedelta(days=3))
    monkeypatch.setattr(retention, "AFTER_LEAVING", timedelta(days=4))
    assert retention.tidy(at=NOON + timedelta(days=3)) == 1
    assert retention.tidy(at=NOON + timedelta(days=4)) == 1
    assert "3 days" in the_page(client)
    assert "4 days" in the_page(client)


def test_the_account_link_is_said_to_live_as_long_as_it_does(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "good for 30 minutes" in text_of(the_page(client))
    monkeypatch.setitem(links.LIFETIMES, Purpose.ACCOUNT, timedelta(hours=2))
    assert "good for 2 hours" in text_of(the_page(client))


@pytest.mark.parametrize(
    ("period", "words"),
    [
        (timedelta(days=7), "7 days"),
        (timedelta(days=1), "24 hours"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(hours=1), "60 minutes"),
        (timedelta(minutes=1), "1 minute"),
    ],
)
def test_a_period_is_said_exactly(period: timedelta, words: str) -> None:
    assert in_words(period) == words


def test_it_says_who_is_responsible(client: Client, settings: Settings) -> None:
    settings.LIST_NAME, settings.BYLINE = "Papers & Tea", "the Example Lab"
    settings.POSTAL_ADDRESS, settings.CONTACT_EMAIL = "1 Tea Lane", "Lab <tea@example.org>"
    page = the_page(client)
    for told in ("Papers &amp; Tea", "the Example Lab", "1 Tea Lane", 'href="mailto:tea@example.org"'):
        assert told in page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("provider", ["postmark", "amazon_ses"])
def test_it_names_who_carries_the_mail(client: Client, settings: Settings, provider: str) -> None:
    settings.DEBUG, settings.EMAIL_BACKEND = True, "digest.mailbox.EmailBackend"
    assert "its mails stay on this machine" in the_page(client)
    settings.DEBUG = False
    settings.ANYMAIL_PROVIDER = provider
    settings.EMAIL_BACKEND = f"anymail.backends.{provider}.EmailBackend"
    assert CARRIERS[provider] in the_page(client)
    settings.ANYMAIL_PROVIDER = ""
    settings.EMAIL_BACKEND = "subscribers.smtp.EmailBackend"
    assert "SMTP" in the_page(client)
    assert CARRIERS[provider] not in the_page(client)


def test_every_provider_one_can_choose_has_its_name() -> None:
    assert CARRIERS.keys() == PROVIDERS.keys()


def test_the_puzzle_is_owned_up_to_while_it_is_there(client: Client, settings: Settings) -> None:
    assert "Cloudflare" not in the_page(client)
    settings.CAPTCHA = "turnstile"
    assert the_page(client).count("Turnstile, by Cloudflare") == 2


def test_reports_of_faults_are_owned_up_to_while_they_leave(client: Client, settings: Settings) -> None:
    assert "Sentry" not in the_page(client)
    settings.SENTRY_DSN = "https://key@sentry.example.org/1"
    assert "Sentry" in the_page(client)


def test_the_wording_in_force_and_the_earlier_ones_are_there_word_for_word(client: Client) -> None:
    old = the_wording()
    assert "Earlier versions" not in the_page(client)
    ConsentText.objects.create(version="2027-01-1", wording="I would like <other> mails.")
    page = the_page(client)
    assert page.index("2027-01-1") < page.index("Earlier versions") < page.index(old.version)
    assert "I would like &lt;other&gt; mails." in page
    assert old.wording in page


def test_it_is_a_page_of_our_own_host_without_cookie_or_script(client: Client) -> None:
    answer = client.get("/privacy/")
    page = answer.content.decode()
    assert not answer.cookies
    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', page)
    assert loaded
    assert all(address.startswith("/") for address in loaded)
    assert "<script" not in page


def test_it_answers_who_only_looks(client: Client) -> None:
    assert client.head("/privacy/").status_code == 200
    assert client.post("/privacy/").status_code in (403, 405)


def test_who_reads_the_consent_wording_is_led_to_it(client: Client) -> None:
    page = client.get("/subscribe/").content.decode()
    beside = page.partition(the_wording().wording)[2].partition("</p>")[0]
    assert 'href="/privacy/"' in beside
