"""Links that open nothing, programs that only look, and what every page keeps to."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from subscribers.models import Subscriber
from tests.cast import a_reader, a_topic
from tests.subscribers.door.visits import (
    ONE_CLICK,
    choosing,
    confirming,
    kept_private,
    pending,
    snapshot,
    unsubscribing,
)

pytestmark = pytest.mark.django_db

Status = Subscriber.Status


@pytest.mark.parametrize("door", ["u", "confirm", "preferences"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: token.upper(),
        lambda token: token + "/",
        lambda _: "x" * 10_000,
        lambda _: "%00%0d%0aSet-Cookie:x",
        lambda _: "%F0%9F%93%AC",
        lambda token: token.replace("1.", "9.", 1),
    ],
    ids=["truncated", "flipped", "upper", "slash", "10 kB", "control", "emoji", "version"],
)
def test_a_spoilt_link_gets_a_small_page_and_changes_nothing(
    client: Client, door: str, spoil: Callable[[str], str]
) -> None:
    reader = pending()
    good = {"u": unsubscribing, "confirm": confirming, "preferences": choosing}[door](reader)
    bad = f"/{door}/{spoil(good.rpartition('/')[2])}"
    before = snapshot()
    for send in (client.get, client.head, client.post):
        response = send(bad)
        assert response.status_code in {400, 404}
        assert len(response.content) < 5_000
    assert snapshot() == before


def test_a_link_opens_no_door_but_its_own(client: Client) -> None:
    reader = pending()
    for door in ("u", "confirm", "preferences"):
        for other in (unsubscribing, confirming, choosing):
            if (address := other(reader)).startswith(f"/{door}/"):
                continue
            response = client.post(f"/{door}/{address.rpartition('/')[2]}", ONE_CLICK)
            assert response.status_code == 400
            assert kept_private(response)
    assert Subscriber.objects.get().status == Status.PENDING


def test_a_link_of_another_installation_is_forged(client: Client, settings: Settings) -> None:
    reader = a_reader("ada@example.org")
    ours = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = dict.fromkeys(ours, b"somebody else's secret, as long.")
    foreign = unsubscribing(reader)
    settings.TOKEN_KEYS = ours
    assert client.post(foreign, ONE_CLICK).status_code == 400
    reader.refresh_from_db()
    assert reader.status == Status.ACTIVE


def test_scanners_that_open_every_link_change_no_row(client: Client) -> None:
    asking, active = pending(), a_reader("eve@example.org", a_topic("vision"))
    before = snapshot()
    for address in (confirming(asking), unsubscribing(asking), unsubscribing(active), choosing(active)):
        for tail in ("", "?form=pause&days=7", "?List-Unsubscribe=One-Click", "?page"):
            for send in (client.get, client.head):
                response = send(address + tail)
                assert response.status_code == 200
                assert kept_private(response)
    assert client.get("/subscribe/?address=new@example.org").status_code == 200
    assert client.head("/subscribe/").status_code == 200
    assert snapshot() == before


def test_no_log_line_tells_a_link(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    active = a_reader("eve@example.org")
    for address in (choosing(active), unsubscribing(active), choosing(active) + "x"):
        client.post(address, {"size": "4"})
    assert [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    for address in (choosing(active), unsubscribing(active)):
        assert address.rpartition("/")[2] not in caplog.text
        assert "/preferences/" not in caplog.text


def test_head_answers_as_get_without_a_body(client: Client) -> None:
    address = unsubscribing(a_reader("ada@example.org"))
    head, get = client.head(address), client.get(address)
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "Content-Length": ""} == {**get.headers, "Content-Length": ""}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_not_allowed(method: str) -> None:
    client = Client(SERVER_NAME="papers.example.org")
    reader = a_reader("ada@example.org")
    for address in (unsubscribing(reader), choosing(reader), "/subscribe/"):
        assert client.generic(method, address).status_code == 405
    assert Subscriber.objects.get().status == Status.ACTIVE


def test_every_page_loads_from_our_own_host_and_needs_no_inline_style(client: Client) -> None:
    asking, active = pending(), a_reader("eve@example.org", a_topic("vision"))
    addresses = [
        "/subscribe/",
        "/subscribe/sent/",
        confirming(asking),
        choosing(active),
        unsubscribing(active),
    ]
    for address in [*addresses, "/nowhere", "/u/forged"]:
        response = client.get(address)
        page = response.content.decode()
        assert "style-src 'self'" in response["Content-Security-Policy"]
        assert "style=" not in page
        assert "<style" not in page
        assert "<script" not in re.sub(r'<script src="/static/[^"]+" defer></script>', "", page)
        assert "https://" not in page
        assert page.count("<h1") == 1
        assert 'href="#main"' in page
        assert "1 Example Street" in page


def test_the_pages_of_errors_stand_without_a_database_or_the_lists_name(client: Client) -> None:
    client.raise_request_exception = False
    bad = client.get("/subscribe/", SERVER_NAME="elsewhere.example")
    assert (bad.status_code, "could not be read" in bad.content.decode()) == (400, True)
    missing = client.get("/nowhere")
    assert (missing.status_code, "There is no such page" in missing.content.decode()) == (404, True)
