"""The web never waits for the broker, whose server keeps the cache and the counts of sign-ups too."""

import http.client
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from subscribers import links, stamps
from tests.faults.house import House, a_house

#: No answer within so many seconds counts as none. The black hole lasts until the test ends.
PATIENCE = 10.0


@pytest.fixture(params=["freeze", "kill"], ids=["black hole", "nobody there"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, int]]:
    """A web process that served pages before its Redis went; and its port."""
    with a_house(tmp_path) as (house, broker):
        house.furnish(1)
        port = house.web()
        assert ask(port, "GET", "/")[0] == 200
        getattr(broker, request.param)()
        yield house, port


def ask(port: int, method: str, path: str, body: str = "", kind: str = "text/html") -> tuple[int, str]:
    """Return status and text of an answer; raises TimeoutError when none comes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request(method, path, body, {"Content-Type": kind, "Accept": kind})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_readers_come_look_and_leave_while_the_broker_is_away(house: tuple[House, int]) -> None:
    at_home, port = house
    for _ in range(2):  # a process learns from its first try
        assert ask(port, "GET", "/")[0] == 200
    assert ask(port, "GET", "/subscribe/")[0] == 200
    (wording,), *_ = at_home.rows("SELECT MAX(id) FROM subscribers_consenttext")
    wish = {
        "address": "newcomer@example.org",
        "topics": [],
        "words": ["robots"],
        "time_zone": "UTC",
        "stamp": stamps.make(wording, at=timezone.now() - timedelta(minutes=1)),
    }
    status, told = ask(port, "POST", "/api/subscribe", json.dumps(wish), "application/json")
    assert status in {200, 202}, told
    assert at_home.rows("SELECT address FROM subscribers_signuprequest") == [("newcomer@example.org",)]

    ((reader, public_id),) = at_home.rows(
        "SELECT id, public_id FROM subscribers_subscriber WHERE status = 'active'"
    )
    way = urlsplit(links.unsubscribe_url(public_id)).path
    one_click = "application/x-www-form-urlencoded"
    assert ask(port, "POST", way, "List-Unsubscribe=One-Click", one_click)[0] == 200
    left = at_home.rows("SELECT status FROM subscribers_subscriber WHERE id = %s", reader)
    assert left == [("unsubscribed",)]
