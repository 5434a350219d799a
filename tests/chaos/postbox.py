"""A provider that takes mails and, as providers do, posts afterwards what became of each."""

import http.client
import json
import random
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from time import monotonic
from typing import Any

from digest import editions
from digest.models import Delivery, ProviderEvent
from subscribers.models import Subscriber, Suppression
from tests.chaos.ledger import Ledger, Mail
from tests.chaos.steps import Kill
from tests.chaos.world import eligible
from tests.digest.events.posts import Post, postmark
from tests.sinks.dialects import DIALECTS
from tests.sinks.provider import Provider, Request

#: Seconds that a provider goes on posting.
INSISTS = 90.0
_NUMBER = re.compile(r"reader-(\d+)@")
#: Of a hundred readers: what is told of their mails. Few bounce: more than 5 % would stop the edition.
_TOLD = {0: ("gone",), 1: ("policy",), 2: ("delivered", "complained"), 3: ("left",), 4: ("full", "delivered")}
#: Kinds after which a reader gets no mail any more.
_ENDING = {"gone", "complained", "left"}


def _number(address: str) -> int:
    found = _NUMBER.match(address)
    return int(found[1]) if found else 0


def takes_silently(address: str) -> bool:
    """Say whether the provider takes this reader's mail and answers 500 all the same."""
    return _number(address) % 20 == 15


def takes_not(address: str) -> bool:
    """Say whether the provider answers this reader's mail with 500 and has not taken it."""
    return _number(address) % 20 == 16


def told_of(address: str) -> tuple[str, ...]:
    """Return what the provider posts of a mail that it took for this reader."""
    number = _number(address)
    told = number % 2 == 0 or takes_silently(address)
    return _TOLD.get(number % 50, ("delivered",) if told else ())


def leaves(address: str) -> bool:
    """Say whether this reader gets no mail after what was told."""
    return not _ENDING.isdisjoint(told_of(address))


class Postbox(Provider):
    """Postmark on `port`, with a ledger like the SMTP sink's. Kills are not its business."""

    def __init__(self, port: int) -> None:
        super().__init__(checks_bulk_rules=False)
        self.port = port
        self.over, self.lock = threading.Event(), threading.Lock()
        self._server = None
        self.ledger = Ledger()
        self._plants = False
        self.start()

    def begin(
        self,
        _kills: Sequence[Kill] = (),
        *,
        by: object = None,
        cut: bool = False,  # noqa: ARG002 - as the SMTP sink has it
    ) -> Ledger:
        """Start anew; what is made unknown is made so in the edition under which workers are killed."""
        self._plants = by is not None
        self.requests.clear()
        self.accepted.clear()
        self.ledger = Ledger()
        return self.ledger

    def answer(self, request: Request) -> tuple[int, bytes]:
        """Write the mail into the ledger before it is answered."""
        mail = DIALECTS[self.name].read(request.headers, request.body)
        trouble = json.dumps({"ErrorCode": 100, "Message": "out of order"}).encode()
        address = mail.to[0] if mail.to else ""
        if self._plants and takes_not(address):
            return 500, trouble
        status, body = super().answer(request)
        delivery = mail.metadata.get("delivery")
        if status == 200 and delivery:
            self.ledger.write(address, str(delivery), mail.text + mail.html)
        return (500, trouble) if self._plants and takes_silently(address) else (status, body)


def planted() -> set[str]:
    """Return whose outcomes the provider makes unknown: of every twenty readers two, one of them taken."""
    return {reader for reader in eligible() if takes_silently(reader) or takes_not(reader)}


def post(mails: Collection[Mail], port: int, seed: int) -> bool:
    """Post what became of `mails` to the web on `port`, shuffled, some twice, until each is taken."""
    serial = count(1)
    began = editions.freeze_moment(editions.edition_day(datetime.now().astimezone()))
    posts = [
        postmark(
            what, {"delivery": mail.delivery}, mail.reader, began + timedelta(seconds=_number(mail.reader)), n
        )
        for mail in sorted(mails, key=lambda mail: mail.reader)
        for what in told_of(mail.reader)
        if (n := next(serial))
    ]
    dice = random.Random(seed)
    posts += dice.sample(posts, len(posts) // 10)
    dice.shuffle(posts)
    until = monotonic() + INSISTS
    with ThreadPoolExecutor(3) as threads:
        return all(threads.map(lambda each: _insist(port, each, until), posts))


def _insist(port: int, post: Post, until: float) -> bool:
    """Post until it is answered with 200, as a provider does."""
    wait = threading.Event()
    sent = {
        **post.headers,
        "Content-Type": "application/json",
        "Host": "papers.example.org",
        "X-Forwarded-Proto": "https",
    }
    while monotonic() < until:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            line.request("POST", post.way, post.body, sent)
            if line.getresponse().status == 200:
                return True
        except OSError:
            pass  # it is not up yet
        finally:
            line.close()
        wait.wait(0.1)
    return False


def waiting() -> bool:
    """Say whether an event waits to be applied."""
    return ProviderEvent.objects.filter(applied_at=None).exists()


def fingerprint() -> dict[str, Any]:
    """Return what must be equal whoever died: states, facts, readers' states, suppressions."""
    rows = Delivery.objects.values_list(
        "subscriber__address",
        "state",
        "delivered_at",
        "soft_bounced_at",
        "bounced_at",
        "complained_at",
        "left_at",
    )
    people = Subscriber.objects.values_list("address", "status", "paused_until")
    barred = Suppression.objects.values_list("address_hash", "reason")
    events = ProviderEvent.objects.values_list("kind", "recipient_hash")
    return {
        "deliveries": sorted(map(str, rows)),
        "readers": sorted(map(str, people)),
        "suppressions": sorted(map(str, barred)),
        "events": sorted(map(str, events)),
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each part that differs, and by how many rows."""
    for part, rows in one.items():
        apart = len(set(rows) ^ set(other[part])) or abs(len(rows) - len(other[part]))
        if apart:
            yield f"{apart} {part} differ from those of an undisturbed run"
