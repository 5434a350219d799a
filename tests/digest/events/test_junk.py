"""Posts of any shape at all are answered, never by a fault of ours, and leave no reader worse off."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from digest.events.applying import UNTIL_NAMED, apply_waiting
from digest.models import Delivery
from subscribers.models import Subscriber
from tests.digest.events.conftest import ADDRESS
from tests.digest.events.posts import KEYS, PROVIDERS, SECRET, basic

pytestmark = pytest.mark.django_db

SEED = 20261128
POSTS = 150
WHAT = ("delivered", "gone", "policy", "full", "complained", "opened")
#: Providers that post in other shapes: their readers get what the others post, and the same junk.
OTHERS = ("sendgrid", "mailjet", "mailtrap", "sparkpost", "mandrill", "postal", "mailersend", "unisender_go")
OPTIONS = {f"{name.upper()}_API_KEY": "k" for name in (*PROVIDERS, *OTHERS)} | {
    "POSTAL_WEBHOOK_KEY": "k",
    "MAILERSEND_SIGNING_SECRET": "k",
    "MANDRILL_WEBHOOK_KEY": "k",
    "UNISENDER_GO_API_KEY": "k",
}
NUMBERS = (0, -1, 10**30, 1e308, -1e308, float("inf"), float("nan"), 2**63)
ODD: tuple[Any, ...] = (
    *NUMBERS,
    *(None, True, [], {}, [[]], {"": {}}, "", "\x00", "\ud800", "Infinity", "9" * 5000, "x" * 3000),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2026-02-30", {"delivery": {"delivery": 1}}),
)
TYPES = (
    "application/json",
    "application/json; charset=no-such-charset",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "text/plain",
    "",
    "a/b; charset=\xff",
)


def mutilated(dice: random.Random, told: Any) -> Any:
    """Return `told` with something in it replaced, doubled or gone, at any depth."""
    if dice.random() < 0.15 or not isinstance(told, (dict, list)) or not told:
        return dice.choice(ODD)
    if isinstance(told, list):
        return [mutilated(dice, one) for one in told] * dice.randint(0, 3)
    key = dice.choice(list(told))
    if dice.random() < 0.3:
        return {name: value for name, value in told.items() if name != key}
    return {**told, key: mutilated(dice, told[key])}


def bodies(dice: random.Random, good: bytes) -> Iterator[bytes]:
    """Yield one body after the other: whole, mutilated, cut, garbled, deep, or a form."""
    told = json.loads(good)
    while True:
        yield json.dumps(mutilated(dice, told)).encode(errors="surrogatepass")
        yield json.dumps(mutilated(dice, mutilated(dice, told)), ensure_ascii=False).encode(
            errors="surrogatepass"
        )
        yield good[: dice.randrange(len(good))]
        garbled = bytearray(good)
        for _ in range(dice.randint(1, 9)):
            garbled[dice.randrange(len(good))] = dice.randrange(256)
        yield bytes(garbled)
        depth = dice.choice((10, 900, 50_000))
        yield b'{"event-data":' * depth + b"1" + b"}" * dice.choice((0, depth))
        yield b"[" + b",".join([good] * dice.randint(0, 4)) + b"]"
        yield b"&".join(
            [b"event=delivered", b"timestamp=1", b"token=a", b"event=%ff%00"] * dice.randint(1, 400)
        )
        yield b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n" * dice.randint(1, 3) + good
        yield dice.randbytes(dice.randint(0, 300))
        yield b"\xef\xbb\xbf" + good


@pytest.mark.parametrize("provider", [*PROVIDERS, *OTHERS])
@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailWarning")
def test_nothing_posted_is_answered_by_a_fault(
    provider: str,
    settings: Settings,
    delivery: Delivery,  # noqa: ARG001 - of a reader who must be left alone
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET], **KEYS, **OPTIONS}
    settings.ANYMAIL_PROVIDER = provider
    dice, client = random.Random(f"{SEED} {provider}"), Client(raise_request_exception=False)
    told = PROVIDERS.get(provider, PROVIDERS["postmark"])
    sources: list[Iterator[bytes]] = [
        bodies(dice, told(what, {"delivery": "of nobody"}, ADDRESS).body) for what in WHAT
    ]
    answers: dict[int, int] = {}
    for _ in range(POSTS):
        answer = client.generic(
            "POST",
            f"/webhooks/{provider}/tracking/",
            next(dice.choice(sources)),
            content_type=dice.choice(TYPES[:1] * 5 + TYPES),
            headers={"Authorization": basic(), "svix-id": dice.choice(("", "msg_1", "\xff" * 300))},
        )
        answers[answer.status_code] = answers.get(answer.status_code, 0) + 1
    assert not {status for status in answers if status >= 500 or 300 <= status < 400}, answers
    apply_waiting(at=timezone.now() + UNTIL_NAMED)
    assert Subscriber.objects.get().status == "active"
    assert ADDRESS not in caplog.text


@pytest.mark.parametrize(
    ("length", "status"),
    [("", 411), ("-1", 411), ("٣", 411), ("1e3", 411), ("9" * 5000, 413), ("2097153", 413)],
)
def test_a_body_of_unknown_or_great_length_is_refused_unread(
    settings: Settings, length: str, status: int, client: Client
) -> None:
    settings.ANYMAIL, settings.ANYMAIL_PROVIDER = {"WEBHOOK_SECRET": [SECRET]}, "postmark"
    ask: Callable[..., Any] = client.generic
    answer = ask("POST", "/webhooks/postmark/tracking/", b"{}", CONTENT_LENGTH=length)
    assert answer.status_code == status
