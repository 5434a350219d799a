"""Several real workers at one pace: their cache is emptied and goes away, and the far side counts."""

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from digest.delivery.balance import balance
from digest.models import Delivery, Edition
from tests.cast import a_frozen_edition, a_paper, a_reader, a_topic
from tests.faults.house import Broker
from tests.processes import wait_until
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.importing.test_killed import environment

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 3


@pytest.fixture
def broker_of_our_own(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


def an_edition(readers: int, domain: str = "example.org") -> Edition:
    """Return an edition of today whose readers are all due."""
    now = timezone.now()
    edition = a_frozen_edition(
        now.date(), *(a_paper(f"Paper {n}", a_topic("vision")) for n in range(6)), state=Edition.State.SENDING
    )
    for number in range(readers):
        reader = a_reader(f"reader{number}@{domain}")
        Delivery.objects.create(
            edition=edition,
            subscriber=reader,
            address_hash=reader.address_hash,
            local_date=edition.day,
            not_before=now,
            expires_at=now + timedelta(hours=5),
        )
    Edition.objects.filter(pk=edition.pk).update(enrolled=readers)
    edition.refresh_from_db()
    return edition


@contextmanager
def workers(folder: Path, broker: Broker, **given: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run WORKERS processes that deliver what is due, each until nothing is."""
    env = {
        **environment(folder),
        "REDIS_URL": f"redis://127.0.0.1:{broker.port}/0",
        "LOG_LEVEL": "ERROR",
        **given,
    }
    env |= {"SITE_URL": os.environ["SITE_URL"], "IN_FLIGHT": "6"}
    running = [
        subprocess.Popen([sys.executable, "manage.py", "deliver", "--now"], cwd=settings.BASE_DIR, env=env)
        for _ in range(WORKERS)
    ]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


class Counting(SmtpSink):
    """A mail server that keeps when each message came."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.moments.append(time.monotonic())
        return await super().handle_DATA(server, session, envelope)


def test_workers_keep_to_one_rate_through_an_emptied_cache_and_without_it(
    tmp_path: Path, broker_of_our_own: Broker
) -> None:
    edition, rate = an_edition(90), 20
    with (
        Counting() as sink,
        workers(
            tmp_path, broker_of_our_own, EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", SEND_RATE=f"{rate}/s"
        ) as running,
    ):
        assert wait_until(lambda: len(sink.moments) >= 30, seconds=60)
        broker_of_our_own.client.flushall()
        assert wait_until(lambda: len(sink.moments) >= 60, seconds=60)
        broker_of_our_own.kill()
        assert wait_until(lambda: len(sink.moments) >= 90, seconds=120), "it goes on without the cache"
        assert wait_until(lambda: all(process.poll() is not None for process in running), seconds=60)
    assert Counter(mail.recipients[0] for mail in sink.received).most_common(1)[0][1] == 1
    account = balance(edition)
    assert (account.accepted, account.exact) == (90, True)
    # Leave is given at the rate; how it arrives is up to the machine: what may bunch is what was given leave.
    for first in range(0, 90 - 60, 10):
        assert sink.moments[first + 59] - sink.moments[first] >= 60 / rate - 2, sink.moments


@dataclass
class Overwhelmed:
    """A provider (Mailgun's words) that asks for quiet twice, and counts who comes before that is over."""

    quiet: float
    taken: list[str] = field(default_factory=list)
    early: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: str) -> int:
        """Return the status for a message."""
        now = time.monotonic()
        with self.lock:
            if self.asked and now < self.asked[-1] + self.quiet:
                self.early.append(now - self.asked[-1])
                return 429
            if len(self.taken) in {20, 50} and len(self.asked) < (1 if len(self.taken) == 20 else 2):
                self.asked.append(now)
                return 429
            found = re.findall(r"reader\d+@example\.org", body)
            self.taken.append(found[0])
            return 200

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve for the length of the block; yield the address."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode(errors="replace")
                status = provider.answer(body.replace("%40", "@"))
                told = b'{"id": "<1@example.org>", "message": "Queued. Thank you."}'
                self.send_response(status)
                self.send_header("Content-Length", str(len(told)))
                if status == 429:
                    self.send_header("Retry-After", str(int(provider.quiet)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v3"
        finally:
            server.shutdown()
            server.server_close()


def test_no_worker_asks_a_provider_before_its_retry_after_is_over(
    tmp_path: Path, broker_of_our_own: Broker
) -> None:
    edition = an_edition(90)
    provider = Overwhelmed(quiet=5)
    with (
        provider.running() as address,
        workers(
            tmp_path,
            broker_of_our_own,
            ANYMAIL_PROVIDER="mailgun",
            MAILGUN_API_KEY="a-key",
            MAILGUN_API_URL=address,
            SENDERS="3",
        ) as running,
    ):
        assert wait_until(lambda: len(provider.taken) >= 90, seconds=120), (
            len(provider.taken),
            provider.early,
        )
        assert wait_until(lambda: all(process.poll() is not None for process in running), seconds=60)
    assert len(provider.asked) == 2
    # On their way when it asked for quiet; after that nobody came.
    assert [moment for moment in provider.early if moment > 1.0] == []
    assert len(provider.early) <= 2 * WORKERS * 3
    assert len(set(provider.taken)) == len(provider.taken) == 90
    account = balance(edition)
    assert (account.accepted, account.exact) == (90, True)
