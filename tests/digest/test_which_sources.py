"""SOURCES: which sources the clock asks."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from digest import configuration
from digest.asking import due
from digest.sources import SOURCES
from tests.cast import NOON


def test_the_setting_knows_exactly_the_sources_there_are() -> None:
    assert set(configuration.SOURCES) == set(SOURCES)


def test_an_unknown_source_is_refused_with_the_choice() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"SOURCES: there is no 'arxive'.*huggingface, arxiv"):
        configuration.chosen("SOURCES", "arxiv,arxive", among=configuration.SOURCES)


def test_naming_one_twice_is_naming_it_once_and_none_is_a_choice() -> None:
    assert configuration.chosen("SOURCES", "arxiv, arxiv", among=configuration.SOURCES) == ["arxiv"]
    assert configuration.chosen("SOURCES", "", among=configuration.SOURCES) == []


@pytest.mark.django_db
@pytest.mark.parametrize("names", [["huggingface"], ["arxiv"], []])
def test_the_clock_asks_no_other(settings: Settings, names: list[str]) -> None:
    settings.SOURCES = names
    assert {source for source, _ in due(NOON)} == set(names)
