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


@pytest.mark.parametrize("number", ["-1", "5000001", "10000000000", "9" * 5000, "many", "1.5", ""])
def test_a_number_nobody_can_mean_is_refused_at_once(number: str) -> None:
    with pytest.raises(CommandError, match="readers"):
        _seed(f"--readers={number}")
    assert not Subscriber.objects.exists()


def test_the_most_that_is_taken_is_said() -> None:
    with pytest.raises(CommandError, match="Use 0 to 5000000"):
        _seed("--readers=5000001")


def test_the_bar_shows_from_the_start_and_stays_away_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    _seed("--readers", "6")
    assert "0/6 [" in capsys.readouterr().err
    _seed("--readers", "8", "--verbosity", "0")
    assert capsys.readouterr().err == ""
