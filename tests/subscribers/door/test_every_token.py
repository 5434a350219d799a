"""Every page behind a token, found in the urlconf, so that a new one cannot be forgotten."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from subscribers import links
from subscribers.links import LIFETIMES, Purpose
from subscribers.models import Subscriber
from tests.cast import NOON, a_reader
from tests.subscribers.door.visits import ONE_CLICK, kept_private, path, snapshot

pytestmark = pytest.mark.django_db

BINDING = "0" * 32
#: A link of each purpose, made the way mails and pages make it.
MAKE: dict[Purpose, Callable[[str], str]] = {
    Purpose.CONFIRM: lambda who: links.confirm_url(who, binding=BINDING, at=NOON),
    Purpose.PREFERENCES: lambda who: links.preferences_url(who, NOON),
    Purpose.UNSUBSCRIBE: lambda who: links.unsubscribe_url(who, "d" * 22),
    Purpose.ACCOUNT: lambda who: links.account_url(who, NOON),
    Purpose.NEW_ADDRESS: lambda who: links.new_address_url(who, binding=BINDING, at=NOON),
    Purpose.CLICK: lambda who: links.click_url(who, "7-t"),
    Purpose.UNDO: lambda who: links.undo_url(who, NOON),
}


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver) and not route.startswith("admin/"):
            yield from _patterns(each, route)
        elif isinstance(each, URLPattern) and "<str:token>" in route:
            yield route, each.callback


DOORS = sorted(_patterns(get_resolver()), key=lambda door: door[0])
doors = pytest.mark.parametrize(("route", "view"), DOORS, ids=[route for route, _view in DOORS])


def at(route: str, token: str) -> str:
    return "/" + route.replace("<str:token>", token)


def token_for(purpose: Purpose, reader: Subscriber) -> str:
    return path(MAKE[purpose](reader.public_id)).rpartition("/")[2]


def answers(client: Client, address: str) -> Iterator[Any]:
    """Ask by every method, with every wish a page has; the client raises what a view does not catch."""
    for tail in ("", "?page", "?do=erase", "?do=weekly", "?form=account", "?why"):
        for send in (client.get, client.head, client.post):
            yield send(address + tail, ONE_CLICK) if send == client.post else send(address + tail)


def test_the_walk_finds_the_doors_we_know_and_each_says_what_it_is_for() -> None:
    found = {route for route, _view in DOORS}
    known = {"confirm", "preferences", "account", "address", "u", "undo"}
    assert {f"{door}/<str:token>" for door in known} <= found
    assert [view.purpose for _route, view in DOORS]
    assert set(MAKE) == set(Purpose), "a purpose without an example here is not tested"


@doors
@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token[: len(token) // 2],
        lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
        lambda token: "".join(chr(ord(c) ^ 1) if n == 12 else c for n, c in enumerate(token)),
        lambda token: token.upper(),
        lambda token: token + ".x",
        lambda token: token.replace("1.", "9.", 1),
        lambda token: token.replace(".", "..", 1),
        lambda _: "x" * 10_000,
        lambda _: ".".join("x" * 6),
        lambda _: "%00",
        lambda token: token + "%00",
        lambda token: token + "%0d%0aSet-Cookie:x",
        lambda _: "%F0%9F%93%AC",
        lambda token: token[:-1] + "%D9%A1",  # a digit, but not one of ours
        lambda _: "%ff%fe",
        lambda _: "..%2f..%2fetc",
    ],
    ids=[
        "truncated",
        "half",
        "last digit",
        "one bit",
        "upper",
        "longer",
        "version",
        "empty part",
        "10 kB",
        "letters",
        "null",
        "null behind",
        "line break",
        "emoji",
        "arabic digit",
        "no unicode",
        "path",
    ],
)
def test_a_spoilt_token_gets_a_kind_page_and_changes_nothing(
    client: Client, route: str, view: Any, spoil: Callable[[str], str]
) -> None:
    good = token_for(view.purpose, a_reader("ada@example.org"))
    before = snapshot()
    for response in answers(client, at(route, spoil(good))):
        assert response.status_code in {400, 404}
        assert len(response.content) < 10_000
        assert not response.cookies
    assert snapshot() == before


@doors
def test_a_token_of_any_other_purpose_opens_nothing(client: Client, route: str, view: Any) -> None:
    reader = a_reader("ada@example.org")
    before = snapshot()
    for purpose in sorted(set(Purpose) - {view.purpose}):
        for response in answers(client, at(route, token_for(purpose, reader))):
            assert response.status_code == 400
            assert kept_private(response)
    assert snapshot() == before


@doors
def test_a_token_with_another_readers_name_in_it_is_forged(client: Client, route: str, view: Any) -> None:
    mine, theirs = a_reader("ada@example.org"), a_reader("ben@example.org")
    swapped = token_for(view.purpose, mine).replace(mine.public_id, theirs.public_id)
    before = snapshot()
    for response in answers(client, at(route, swapped)):
        assert response.status_code == 400
    assert snapshot() == before


@doors
def test_a_token_out_of_time_is_told_to_be_old(client: Client, route: str, view: Any) -> None:
    lifetime = LIFETIMES.get(view.purpose)
    if lifetime is None:
        assert view.purpose in {Purpose.UNSUBSCRIBE, Purpose.CLICK}, "nothing else works for ever"
        return
    address = at(route, token_for(view.purpose, a_reader("ada@example.org")))
    before = snapshot()
    with time_machine.travel(NOON + lifetime):
        for response in answers(client, address):
            assert response.status_code == 410
            assert kept_private(response)
    assert snapshot() == before


@doors
def test_a_token_of_a_retired_key_works_and_of_one_thrown_away_does_not(
    client: Client, settings: Settings, route: str, view: Any
) -> None:
    reader = a_reader("ada@example.org")
    address = at(route, token_for(view.purpose, reader))
    fresh = client.get(address).status_code
    settings.TOKEN_KEYS = {"new": b"n" * 32, **settings.TOKEN_KEYS}
    assert client.get(address).status_code == fresh
    settings.TOKEN_KEYS = {"new": b"n" * 32}
    before = snapshot()
    for response in answers(client, address):
        assert response.status_code == 400
        assert kept_private(response)
    assert snapshot() == before


@doors
def test_a_token_of_nobody_is_answered_kindly(client: Client, route: str, view: Any) -> None:
    reader = a_reader("ada@example.org")
    address = at(route, token_for(view.purpose, reader))
    reader.delete()
    before = snapshot()
    for response in answers(client, address):
        assert response.status_code in {200, 303, 405, 410, 422}
        assert kept_private(response)
    assert snapshot() == before


@doors
def test_looking_changes_no_row(client: Client, route: str, view: Any) -> None:
    address = at(route, token_for(view.purpose, a_reader("ada@example.org")))
    before = snapshot()
    for tail in (
        "",
        "?page",
        "?do=erase",
        "?do=weekly",
        "?do=account",
        "?form=account",
        "?why",
        "?form=pause&days=7",
    ):
        for send in (client.get, client.head):
            assert kept_private(send(address + tail))
    assert snapshot() == before
