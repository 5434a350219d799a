"""Whose address a request came from, whatever the headers say."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from subscribers.networks import client_address, neighbourhood
from subscribers.views.guards import trace_of

PROXY = "10.0.0.1"


def seen(hops: int, forwarded: str | None, settings: Settings, remote: str = PROXY) -> str | None:
    settings.PROXY_HOPS = hops
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote))


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, None, PROXY),
        (0, "203.0.113.7", PROXY),  # nobody in front: the header is anybody's words
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the first is what the client claims
        (1, "127.0.0.1, ::1, 198.51.100.1,203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", PROXY),  # too short: it did not come by both proxies
        (3, "203.0.113.7, 10.0.0.2", PROXY),
        (1, None, PROXY),
        (1, "", PROXY),
        (1, "unknown", PROXY),
        (1, "203.0.113.7, ", PROXY),
        (1, "203.0.113.7, _hidden", PROXY),
        (1, "203.0.113.999", PROXY),
        (1, "203.0.113.07", PROXY),
        (1, "203.0.113.7:4711", "203.0.113.7"),  # some proxies add the port
        (1, "192.0.2.1:1, 203.0.113.7:4711 ", "203.0.113.7"),
        (1, "[2001:db8::7]:443", "2001:db8::7"),
        (1, "[2001:DB8::7]", "2001:db8::7"),
        (1, "[::ffff:203.0.113.7]:443", "203.0.113.7"),
        (1, "[fe80::1%eth0]:443", "fe80::1"),
        (1, "2001:db8::7:443", "2001:db8::7:443"),  # without brackets no port can be told
        (1, "203.0.113.7:http", PROXY),
        (1, "203.0.113.7:4711:1", PROXY),
        (1, "203.0.113.7:٤", PROXY),
        (1, "[203.0.113.999]:1", PROXY),
        (1, "[]:1", PROXY),
        (1, "[" * 10_000, PROXY),
        (1, "3405803783", PROXY),
        (1, "٢٠٣.0.113.7", PROXY),
        (1, "x" * 100_000, PROXY),
        (1, "," * 10_000, PROXY),
        (1, "2001:DB8:0:0::7", "2001:db8::7"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "::FFFF:cb00:7107", "203.0.113.7"),
        (1, "fe80::1%eth0", "fe80::1"),
    ],
)
def test_the_address_is_the_one_that_our_own_proxies_saw(
    hops: int, forwarded: str | None, address: str, settings: Settings
) -> None:
    assert seen(hops, forwarded, settings) == address


@pytest.mark.parametrize(
    ("remote", "address"),
    [("", None), ("@", None), ("::ffff:203.0.113.7", "203.0.113.7"), ("fe80::1%2", "fe80::1")],
)
def test_a_connection_without_an_address_has_none(
    remote: str, address: str | None, settings: Settings
) -> None:
    assert seen(0, "203.0.113.7", settings, remote) == address
    assert seen(1, "nonsense", settings, remote) == address


def test_the_proof_of_consent_names_the_client_and_not_the_proxy(settings: Settings) -> None:
    settings.PROXY_HOPS = 1
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "192.0.2.1, 203.0.113.7"})
    assert trace_of(request, "signup form").network == "203.0.113.7"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("203.0.113.255", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("::1", "::/48"),
        (None, "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_neighbours_are_counted_together(address: str | None, network: str) -> None:
    assert neighbourhood(address) == network
