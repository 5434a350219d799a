import pytest
from django.test import Client
from pytest_django import Settings


@pytest.fixture(autouse=True, params=[True, False])
def _development_and_production(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.DEBUG = request.param


@pytest.mark.parametrize("path", ["/nowhere", "/nowhere/", "/a/b.html", "/u/", "//nowhere.example/x"])
def test_an_address_that_leads_nowhere_gets_the_houses_page(client: Client, path: str) -> None:
    for answer in client.get(path), client.head(path), Client(enforce_csrf_checks=True).post(path):
        assert answer.status_code == 404
    assert "There is no such page" in client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/editions", "/subscribe", "/admin", "/mailbox"])
def test_a_slash_that_is_missing_is_put_there(client: Client, path: str) -> None:
    answer = client.get(f"{path}?page=2")
    assert (answer.status_code, answer["Location"]) == (301, f"{path}/?page=2")
