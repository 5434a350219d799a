"""A browser at the door, at noon."""

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from tests.cast import NOON


@pytest.fixture(autouse=True)
def _at_noon(settings: Settings) -> Iterator[None]:
    settings.ALLOWED_HOSTS = ["papers.example.org"]
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    """Return a browser that checks CSRF as a real one meets it, over TLS."""
    browser = Client(enforce_csrf_checks=True, SERVER_NAME="papers.example.org")
    browser.defaults["wsgi.url_scheme"] = "https"
    return browser
