"""`manage.py seed`."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from subscribers.models import Subscriber
from tests.cast import a_topic

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _development(settings: Settings) -> None:
    settings.DEBUG = True  # pytest-django switches it off
    a_topic("a-topic-to-follow")


def _seed(*arguments: str) -> str:
    said = StringIO()
    call_command("seed", *arguments, stdout=said)
    return said.getvalue()


def test_it_says_how_many_were_added_and_how_many_were_there() -> None:
    assert "6 synthetic readers added, 0 were there" in _seed("--readers", "6")
    assert "2 synthetic readers added, 6 were there" in _seed("--readers", "8")
    assert Subscriber.objects.count() == 8


def test_production_refuses_them_unless_they_are_meant(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="--into-production"):
        _seed("--readers", "2")
    assert not Subscriber.objects.exists()
    _seed("--readers", "2", "--into-production")
    assert Subscriber.objects.count() == 2


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(CommandError, match="whole number"):
        _seed("--readers=-1")
