"""What every test may lean on."""

import math
from collections.abc import Iterator
from contextlib import nullcontext
from uuid import uuid4

import pytest
from celery import Celery
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from digest import previewing, valkey, witness
from digest.celery import app as celery_app
from digest.views import feeds
from subscribers import limits, transport
from subscribers.pace import cache, pacer
from subscribers.pace.alone import Memory
from tests.sinks.provider import Provider
from tests.sinks.smtp_sink import SmtpSink


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Write the manifest that pages look their style sheets up in, as `release` does before the web starts.

    Not compressed: that takes seconds, and no test reads it.
    """
    plain = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def _nothing_from_another_test() -> None:
    """Forget what is kept of editions: the next test's may have the same number."""
    previewing.kept_pool.cache_clear()
    feeds.first_papers.cache_clear()


@pytest.fixture(autouse=True)
def _counts_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test count sign-ups afresh, in a Redis that all of them share."""
    monkeypatch.setattr(limits, "_PREFIX", f"{{test-{uuid4()}}}")


@pytest.fixture(autouse=True)
def _pace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test count mails afresh, and know of no waits; a cache that was away may be back."""
    monkeypatch.setattr(cache, "_PREFIX", f"{{test-{uuid4()}}}:")
    monkeypatch.setattr(cache, "_away_until", -math.inf)
    monkeypatch.setattr(pacer, "_memory", Memory())


@pytest.fixture(autouse=True)
def _offered_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that knows a mail by its key is not waited for in tests."""
    monkeypatch.setattr(transport, "OFFERED_AGAIN_AFTER", (0.0, 0.0))


@pytest.fixture(autouse=True)
def _witness_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let nobody remember the tests' database, which goes back to its beginning after each of them."""
    name = f"test-{uuid4()}:sent"
    with pytest.MonkeyPatch.context() as patch:  # not the test's own, which it may undo
        patch.setattr(settings, "WITNESS_DIR", tmp_path_factory.mktemp("witness"))
        patch.setattr(witness, "_key", lambda: name)
        yield


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A mail server on loopback that keeps everything; Django's mail leads there."""
    with SmtpSink() as sink, override_settings(**sink.settings):
        yield sink


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider's API on loopback; `override_settings(**provider.settings("postmark"))` leads there."""
    with Provider() as fake:
        yield fake


@pytest.fixture(scope="session")
def _broker_process() -> Iterator[None]:
    """The embedded Valkey, unless REDIS_URL names a server."""
    embedded = valkey.running(settings.VALKEY_SOCKET, settings.DATA_DIR / "valkey")
    with embedded if settings.EMBEDDED_VALKEY else nullcontext():
        yield


@pytest.fixture
def cache_server(_broker_process: None) -> None:
    """A real Redis or Valkey, so that sign-ups are counted there."""


@pytest.fixture
def broker(_broker_process: None) -> Iterator[Celery]:
    """Celery's app with a real broker behind it, its queue empty before and after."""
    celery_app.control.purge()
    yield celery_app
    celery_app.control.purge()
