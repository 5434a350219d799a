"""What every test may lean on."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

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
