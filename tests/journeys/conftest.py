"""A real browser, a furnished house and a clock for the journeys that need them."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from celery import Celery
from django.core.cache import cache
from playwright.sync_api import Browser, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.journeys.browsing import Tab
from tests.journeys.house import House
from tests.sinks.smtp_sink import SmtpSink

#: Quiet and alone: no sandbox in a container, no calls to anybody's servers.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: A Wednesday, after the day's freeze.
START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def plain_static(settings: Settings) -> None:
    """Let pages name their static files without a hash: the live server finds them in the source folders."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Start the machine's Chromium, or playwright's own where the machine has none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; the ORM is used between its calls, never within one.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def house(
    chromium: Browser,  # noqa: ARG001 - allows the ORM beside playwright's event loop
    live_server: LiveServer,
    plain_static: None,  # noqa: ARG001 - a fixture's effect
    broker: Celery,  # noqa: ARG001 - the cache that the sign-up's limits count in
    smtp_sink: SmtpSink,
    settings: Settings,
) -> Iterator[House]:
    """Give an installation on START with an edition of sample papers, its mail leading to a sink."""
    settings.ALLOWED_HOSTS = ["localhost"]
    cache.clear()
    with time_machine.travel(START, tick=True) as clock:
        house = House(live_server.url, smtp_sink, clock.shift)
        house.furnish()
        yield house


@pytest.fixture
def open_tab(chromium: Browser, house: House) -> Iterator[Callable[..., Tab]]:
    """Give a maker of tabs, each of a browser that knows nothing; their faults fail the test at its end."""
    tabs: list[Tab] = []

    def opened(**wishes: Any) -> Tab:
        tabs.append(Tab.of(chromium, house.home, **wishes))
        return tabs[-1]

    yield opened
    faults = {tab.page.url: found for tab in tabs if (found := tab.faults())}
    for tab in tabs:
        tab.page.context.close()
    assert faults == {}
