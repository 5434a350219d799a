"""Fetching is bounded in bytes, time, tries and hosts."""

import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pytest_django import Settings

from digest.sources.base import SourceError
from digest.sources.fetching import Fetcher, Limits
from tests.digest.loopback import Asked, Loopback, Reply, bomb, zipped

QUICK = Limits(connect=1, read=0.3, whole=1, most_bytes=1_000_000)


def fetcher(far_end: Loopback, slept: list[float] | None = None, limits: Limits = QUICK) -> Fetcher:
    return Fetcher(far_end.url, limits=limits, sleep=(slept if slept is not None else []).append)


def test_the_answer_comes_with_its_headers_and_we_say_who_asks(far_end: Loopback, settings: Settings) -> None:
    settings.CONTACT_EMAIL = "Zoë Example <papers@paperboy.example>"
    far_end.in_turn(Reply(b"[]", headers={"Link": "<x>"}))
    answer = fetcher(far_end).get(f"{far_end.url}/a")
    assert (answer.status, answer.body, answer.headers["link"]) == (200, b"[]", "<x>")
    assert far_end.asked[0].headers["user-agent"].endswith("mailto:papers@paperboy.example)")


def test_gzip_is_unpacked(far_end: Loopback) -> None:
    far_end.in_turn(zipped(b"x" * 500_000))
    assert fetcher(far_end).get(far_end.url).body == b"x" * 500_000


@pytest.mark.parametrize("reply", [Reply(b"x" * 1_000_001), bomb(b"", 50)], ids=["plain", "bomb"])
def test_more_than_the_cap_is_refused_at_once(far_end: Loopback, reply: Reply) -> None:
    far_end.in_turn(reply)
    with pytest.raises(SourceError, match="sent more than 1 MB"):
        fetcher(far_end).get(far_end.url)
    assert len(far_end.asked) == 1


def test_a_compressed_answer_that_ends_early_is_not_taken_for_whole(far_end: Loopback) -> None:
    packed = gzip.compress(b"[1, 2, 3]" * 1000)
    far_end.in_turn(Reply(packed[:-20], headers={"Content-Encoding": "gzip"}))
    with pytest.raises(SourceError, match="ends too early"):
        fetcher(far_end).get(far_end.url)


def test_an_encoding_nobody_asked_for_is_refused(far_end: Loopback) -> None:
    far_end.in_turn(Reply(b"x", headers={"Content-Encoding": "br"}))
    with pytest.raises(SourceError, match="'br', which nobody asked for"):
        fetcher(far_end).get(far_end.url)


@pytest.mark.parametrize(
    "fault", [Reply(status=429), Reply(status=500), Reply(status=503), Reply(b"half", deed="truncate"),
              Reply(b"half", deed="reset"), Reply(deed="hang")],
    ids=lambda reply: reply.deed or reply.status,
)  # fmt: skip
def test_a_passing_fault_is_asked_again_with_growing_pauses(far_end: Loopback, fault: Reply) -> None:
    slept: list[float] = []
    far_end.in_turn(fault, fault, Reply(b"good"))
    assert fetcher(far_end, slept).get(far_end.url).body == b"good"
    assert len(far_end.asked) == 3
    assert 0.75 <= slept[0] <= 1.25
    assert 1.5 <= slept[1] <= 2.5


def test_a_lasting_fault_ends_after_four_tries(far_end: Loopback) -> None:
    far_end.in_turn(Reply(status=500))
    with pytest.raises(SourceError, match=r"127\.0\.0\.1 answered 500 \(asked 4 times\)\.") as caught:
        fetcher(far_end).get(far_end.url)
    assert len(far_end.asked) == 4
    assert caught.value.unreachable


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"RateLimit": '"api";r=0;t=9'}, 9.0),
        ({"Retry-After": "2", "RateLimit": '"api";r=0;t=40'}, 2.0),
    ],
)
def test_the_wait_the_host_asks_for_is_kept(far_end: Loopback, headers: dict[str, str], wait: float) -> None:
    slept: list[float] = []
    far_end.in_turn(Reply(status=429, headers=headers), Reply(b"good"))
    assert fetcher(far_end, slept).get(far_end.url).body == b"good"
    assert slept == [wait]


def test_a_wait_until_a_date_is_kept(far_end: Loopback) -> None:
    slept: list[float] = []
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    far_end.in_turn(Reply(status=503, headers={"Retry-After": when}), Reply(b"good"))
    fetcher(far_end, slept).get(far_end.url)
    assert 15 < slept[0] <= 20


def test_a_wait_beyond_our_patience_ends_the_tries_instead_of_asking_too_early(far_end: Loopback) -> None:
    slept: list[float] = []
    far_end.in_turn(Reply(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(SourceError, match=r"asked once.*wait 3600 s"):
        fetcher(far_end, slept).get(far_end.url)
    assert (len(far_end.asked), slept) == (1, [])


def test_a_body_that_trickles_is_cut_off_at_the_deadline(far_end: Loopback) -> None:
    began = time.monotonic()
    far_end.in_turn(Reply(b"x" * 3_000_000))
    limits = Limits(whole=0, patience=0)
    with pytest.raises(SourceError, match="took longer than 0 s"):
        fetcher(far_end, limits=limits).get(far_end.url)
    assert time.monotonic() - began < 5


def test_a_client_error_is_given_back_and_not_asked_again(far_end: Loopback) -> None:
    far_end.in_turn(Reply(b"no such category", status=400))
    assert fetcher(far_end).get(far_end.url).status == 400
    assert len(far_end.asked) == 1


def test_a_redirect_on_the_same_host_is_followed(far_end: Loopback) -> None:
    far_end.in_turn(Reply(status=301, headers={"Location": "/there"}), Reply(b"good"))
    assert fetcher(far_end).get(f"{far_end.url}/here").body == b"good"
    assert [asked.path for asked in far_end.asked] == ["/here", "/there"]


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/", "file:///etc/passwd", "https://elsewhere.example/", "//b"]
)
def test_a_redirect_to_anywhere_else_is_refused(far_end: Loopback, target: str) -> None:
    far_end.in_turn(Reply(status=302, headers={"Location": target}))
    with pytest.raises(SourceError, match="leads to another address"):
        fetcher(far_end).get(far_end.url)
    assert len(far_end.asked) == 1


def test_redirects_in_a_circle_end(far_end: Loopback) -> None:
    far_end.in_turn(Reply(status=302, headers={"Location": "/"}))
    with pytest.raises(SourceError, match="redirects in circles"):
        fetcher(far_end).get(far_end.url)
    assert len(far_end.asked) == 4


def test_plain_http_is_for_development_only(far_end: Loopback, settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(SourceError, match="not encrypted"):
        fetcher(far_end).get(far_end.url)
    assert far_end.asked == []


def test_nobody_there_is_a_sentence_too(settings: Settings) -> None:
    settings.DEBUG = True
    slept: list[float] = []
    with pytest.raises(SourceError, match=r"The connection to 127\.0\.0\.1 failed: .*asked 4 times"):
        Fetcher("http://127.0.0.1:1", sleep=slept.append).get("http://127.0.0.1:1/")
    assert len(slept) == 3


def test_the_answer_of_one_request_is_independent_of_another(far_end: Loopback) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(asked.path.encode())

    far_end.answer = answer
    one = fetcher(far_end)
    assert [one.get(f"{far_end.url}/{name}").body for name in "abc"] == [b"/a", b"/b", b"/c"]
