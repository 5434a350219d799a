"""Fixtures of the sources' tests."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.digest.loopback import Loopback


@pytest.fixture
def far_end(settings: Settings) -> Iterator[Loopback]:
    """Both sources at one loopback server; plain http is for DEBUG only."""
    with Loopback().running() as server:
        settings.DEBUG = True
        settings.HUGGINGFACE_URL = server.url
        settings.ARXIV_FEED_URL = server.url
        settings.ARXIV_API_URL = f"{server.url}/api/query"
        settings.ARXIV_CATEGORIES = ["cs.CL", "cs.CV"]
        settings.THUMBNAIL_HOSTS = ["127.0.0.1"]
        yield server
