"""While the database is away each page says so in a sentence with 503, and programs come again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from digest import outages
from subscribers import links
from subscribers.models import Subscriber
from tests.cast import a_reader
from tests.processes import free_port

pytestmark = pytest.mark.django_db(transaction=True)

SENTENCE = "Our records cannot be reached just now, so nothing was changed."


@contextmanager
def away() -> Iterator[None]:
    """Let the database be where nobody answers, while the block runs."""
    there = connection.settings_dict
    here: dict[str, Any] = {name: there[name] for name in ("HOST", "PORT", "NAME")}
    connection.close()
    if connection.vendor == "postgresql":
        there.update(HOST="127.0.0.1", PORT=free_port())
    else:
        there["NAME"] = "/nowhere/paperboy.sqlite3"
    try:
        yield
    finally:
        connection.close()
        there.update(here)


@pytest.fixture(params=[False, True], ids=["production", "DEBUG"])
def client(request: pytest.FixtureRequest, settings: Settings) -> Client:
    settings.DEBUG = request.param
    settings.ADMIN_TWO_FACTOR = True
    return Client(raise_request_exception=False)


def assert_says_so(answer: Any) -> None:
    assert answer.status_code == 503
    assert SENTENCE in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    assert answer["Retry-After"] == outages.RETRY_AFTER
    assert answer["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/editions/",
        "/topics/",
        "/papers/2603.00001/",
        "/feeds/editions.rss",
        "/subscribe/",
        "/admin/login/",
    ],
)
def test_pages_of_the_house_say_that_its_records_are_away(client: Client, path: str) -> None:
    client.cookies["sessionid"] = "0123456789abcdefghijklmnopqrstuv"
    with away():
        answer = client.get(path)
        if answer.status_code == 200:  # what is shown without the database is shown
            assert path in {"/subscribe/", "/admin/login/"}
            return
    assert_says_so(answer)


def test_the_desk_says_so_to_who_is_logged_in(client: Client) -> None:
    client.force_login(User.objects.create_superuser("ada", password="a long and winding password"))
    with away():
        assert_says_so(client.get("/admin/"))
        assert_says_so(client.get("/admin/digest/delivery/"))


def test_a_wish_to_subscribe_is_not_said_to_be_taken(client: Client, cache_server: None) -> None:  # noqa: ARG001
    with away():
        assert_says_so(client.post("/subscribe/", {"address": "ada@example.org"}))
        assert client.get("/api/subscribe").status_code == 503


def test_one_click_fails_aloud_and_works_when_it_comes_again(client: Client) -> None:
    reader = a_reader()
    path = links.unsubscribe_url(reader.public_id).removeprefix("https://papers.example.org")
    one_click = {"List-Unsubscribe": "One-Click"}
    with away():
        assert_says_so(client.post(path, one_click))
    assert client.post(path, one_click).status_code == 200
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.UNSUBSCRIBED


def test_no_log_line_of_an_outage_holds_the_key_in_the_path(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    token = links.preferences_url(a_reader().public_id, timezone.now()).rpartition("/")[2]
    with away():
        assert_says_so(client.get(f"/preferences/{token}"))
    assert "database_away" in caplog.text
    assert token not in caplog.text


def test_any_other_fault_is_not_called_an_outage() -> None:
    assert outages.OutageMiddleware(lambda _: None).process_exception(None, ValueError("x")) is None  # type: ignore[arg-type,return-value]
