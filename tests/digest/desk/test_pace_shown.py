"""What the sending page says of the pace."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from pytest_django import Settings

from digest import progress
from digest.admin.edition import pace_shown
from digest.models import Delivery
from subscribers.outcomes import Fate, Outcome, Slower
from subscribers.pace import Pacer
from subscribers.rates import by_domain, rates
from tests.digest.access.people import browser_of
from tests.digest.desk.letters import a_moving_edition, deliveries

NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)


def test_with_no_limit_it_says_nothing() -> None:
    assert pace_shown.told(100_000, NOON) == []


@pytest.mark.parametrize(
    ("written", "waiting", "told"),
    [
        ("14/s", 100_000, "Held to 14 a second; about 2 hours left at that pace."),
        ("14/s, 500/m", 1_000, "Held to 14 a second and 500 a minute; about 2 minutes left at that pace."),
        ("50000/day", 25_000, "Held to 50,000 a day; about 12 hours left at that pace."),
        ("14/s", 10, "Held to 14 a second; about a minute left at that pace."),
    ],
)
def test_a_rate_and_how_long_it_takes(settings: Settings, written: str, waiting: int, told: str) -> None:
    settings.SEND_RATE = rates(written)
    assert pace_shown.told(waiting, NOON) == [told]


def test_the_mailbox_providers_that_are_held(settings: Settings) -> None:
    settings.DOMAIN_RATES = by_domain("gmail.com=20/s, hotmail.com=100/h")
    assert pace_shown.told(5, NOON) == [
        "By mailbox provider: gmail.com to 20 a second, outlook.com to 100 an hour."
    ]
    assert pace_shown.told(0, NOON) == []


def test_the_warm_up(settings: Settings) -> None:
    settings.WARMUP_START = date(2026, 12, 1)
    (told,) = pace_shown.told(5, NOON)
    assert told.startswith("Warming up: at most 500 mails today (UTC).")
    assert pace_shown.told(5, NOON + timedelta(days=30)) == []


def test_a_provider_that_asks_to_wait() -> None:
    Pacer(lambda: NOON).heard(Outcome(Fate.DEFERRED, retry_after=60.0, slower=Slower.PROVIDER), "x.example")
    (told,) = pace_shown.told(5, NOON)
    assert told.startswith("The provider asks to wait: nothing leaves before 12:01:0")


@pytest.mark.django_db
def test_the_page_shows_it(settings: Settings) -> None:
    settings.SEND_RATE = rates("14/s")
    edition = a_moving_edition()
    deliveries(edition, 5, Delivery.State.READY)
    progress.keep(edition, at=NOON)
    page = browser_of("curator").get(reverse("admin:edition_sending", args=[edition.pk]), follow=True)
    assert "Held to 14 a second; about a minute left" in page.content.decode()
