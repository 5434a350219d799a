"""What every test may lean on."""

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Write the manifest that pages look their style sheets up in, as `release` does before the web starts.

    Not compressed: that takes seconds, and no test reads it.
    """
    plain = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        call_command("collectstatic", interactive=False, verbosity=0)
