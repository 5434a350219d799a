"""Who may ask the JSON endpoint from a browser: the sites named, by the letter, and nobody with cookies."""

import pytest
from django.test import Client
from pytest_django import Settings

from subscribers.models import SignupRequest
from tests.subscribers.door.asking import DOOR, JSON, post, wish

pytestmark = pytest.mark.django_db

LAB = "https://lab.example.org"


@pytest.fixture(autouse=True)
def _origins(settings: Settings) -> None:
    settings.EMBED_ORIGINS = [LAB]


def test_pages_of_the_sites_named_may_ask_without_credentials(client: Client) -> None:
    asked = {"Origin": LAB, "Access-Control-Request-Method": "POST"}
    preflight = client.options(DOOR, headers=asked)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight["Access-Control-Allow-Methods"] == "GET, HEAD, POST, OPTIONS"
    assert preflight["Access-Control-Allow-Headers"] == "Content-Type"
    answers = [
        preflight,
        client.get(DOOR, headers={"Origin": LAB}),
        post(client, wish(), {"Origin": LAB}),
        post(client, wish(address=""), {"Origin": LAB}),
        post(client, b"{", {"Origin": LAB}),
        client.put(DOOR, headers={"Origin": LAB}),
    ]
    assert [answer.status_code for answer in answers] == [204, 200, 202, 422, 400, 405]
    for answer in answers:
        assert answer["Access-Control-Allow-Origin"] == LAB
        assert "Access-Control-Allow-Credentials" not in answer
        assert "Origin" in answer["Vary"]
        assert not answer.cookies


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://lab.example.org",
        "https://lab.example.org:8443",
        "https://lab.example.org.evil.example",
        "https://LAB.example.org",
        "https://lab.example.org/",
        "null",
        "",
        "*",
    ],
)
def test_any_other_origin_is_turned_away(client: Client, origin: str) -> None:
    for answer in (
        client.get(DOOR, headers={"Origin": origin}),
        post(client, wish(), {"Origin": origin}),
        client.options(DOOR, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
    ):
        assert (answer.status_code, answer["Content-Type"]) == (403, JSON)
        assert "Access-Control-Allow-Origin" not in answer
        assert "Origin" in answer["Vary"]
    assert not SignupRequest.objects.exists()


def test_a_program_without_an_origin_needs_no_permission(client: Client, settings: Settings) -> None:
    settings.EMBED_ORIGINS = []
    answer = post(client, wish())
    assert answer.status_code == 202
    assert "Access-Control-Allow-Origin" not in answer
    assert "Origin" in answer["Vary"]
