"""The desk as in production: with the gate before it."""

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _gate(settings: Settings) -> None:
    settings.ADMIN_TWO_FACTOR = True
