"""Whole editions go through each fault of the wire, which is then lifted: nobody twice, nobody missed.

The transport's tests say what each fault is called; these say what becomes of readers. One worker, with the
connections it already has, sends to two readers, meets the fault with four, and sees it lifted.
"""

import re
import smtplib
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from pytest_django import Settings

from digest import enrolling
from digest.delivery import run as loop
from digest.delivery.balance import balance
from digest.models import Delivery, Edition
from subscribers.models import Subscriber, Suppression
from tests.cast import a_frozen_edition, a_paper, a_reader, a_topic
from tests.sinks import fault_smtp
from tests.sinks import provider as providers
from tests.sinks.dialects import DIALECTS
from tests.sinks.fault_smtp import FaultSMTP
from tests.sinks.provider import Provider
from tests.sinks.smtp_sink import free_port

EIGHT = datetime(2026, 3, 4, 8, tzinfo=UTC)
BEFORE, DURING = 2, 4
#: Seconds until a hanging server counts as gone; long enough for a good answer of the same session.
PATIENCE = 0.8
State = Delivery.State

pytestmark = pytest.mark.django_db

#: What the four readers of a fault come to. Whoever is "accepted" got the mail after the fault.
SMTP = {
    "refused": State.ACCEPTED,
    "close before banner": State.ACCEPTED,
    "banner 421": State.ACCEPTED,
    "mail 451": State.ACCEPTED,
    "rcpt 450": State.ACCEPTED,
    "rcpt 550": State.REJECTED,
    "data 451": State.ACCEPTED,
    "close mid-body": State.ACCEPTED,
    "reset mid-body": State.ACCEPTED,
    "hang before 354": State.ACCEPTED,
    "dot 451": State.ACCEPTED,
    "dot 421": State.ACCEPTED,
    "dot 554": State.REJECTED,
    "close after dot": State.UNKNOWN,
    "reset after dot": State.UNKNOWN,
    "hang after dot": State.UNKNOWN,
    "250 then close": State.ACCEPTED,
    "250 then hang on quit": State.ACCEPTED,
}
#: Faults after which the session stands as it was; after every other one it is closed and dialled again.
SESSION_KEPT = {"mail 451", "rcpt 450", "rcpt 550", "data 451", "dot 451", "dot 554", "250 then hang on quit"}
HTTP = {
    "refused": State.ACCEPTED,
    "close before body": State.UNKNOWN,
    "reset before body": State.UNKNOWN,
    "close after body": State.UNKNOWN,
    "reset after body": State.UNKNOWN,
    "hang": State.UNKNOWN,
    "429": State.ACCEPTED,
    "500": State.UNKNOWN,
    "503": State.UNKNOWN,
    "200 bad json": State.UNKNOWN,
    "422": State.REJECTED,
}


@dataclass
class House:
    """One edition with its readers, and one worker whose clock stands until it is moved."""

    edition: Edition
    readers: list[Subscriber]
    worker: loop.Worker
    now: datetime = EIGHT

    def send(self, **options: Any) -> None:
        loop.run(self.worker, **options)

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def states(self) -> Counter[str]:
        return Counter(Delivery.objects.values_list("state", flat=True))


@pytest.fixture
def house(settings: Settings, mode: str) -> Iterator[House]:
    # Two at a time where a server hangs, which holds the test up half as long.
    settings.SENDERS, settings.IN_FLIGHT = 2 if "hang" in mode else 1, DURING
    papers = [a_paper(f"Paper {n} that is seen", a_topic("vision")) for n in range(12)]
    for paper in papers:
        paper.abstract = "We look at what is to be seen, and say so at length. " * 12
        paper.save()
    readers = [a_reader() for _ in range(BEFORE + DURING)]
    edition = a_frozen_edition(date(2026, 3, 4), *papers, approved_at=EIGHT - timedelta(hours=2))
    enrolling.enroll(edition, at=EIGHT - timedelta(hours=2))
    one = House(edition, readers, loop.Worker(lambda: one.now))
    yield one
    one.worker.close()


@contextmanager
def a_narrow_wire() -> Iterator[None]:
    """Let the kernel hold a few kB of a message, so that a body that is cut is cut while it is written."""
    dial = socket.create_connection

    def narrow(*args: Any, **options: Any) -> socket.socket:
        connection = dial(*args, **options)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smtplib.socket, "create_connection", narrow)  # type: ignore[attr-defined]
        yield


@pytest.mark.parametrize("mode", fault_smtp.MODES)
def test_an_edition_survives_every_smtp_fault(mode: str, house: House) -> None:
    patience = PATIENCE if "hang" in mode else 10.0
    with a_narrow_wire(), FaultSMTP(patience=patience) as server, override_settings(**server.settings):
        house.send(limit=BEFORE)
        dialled = server.connections
        _meet(mode, server, house)
        house.later(hours=1)
        house.send()
        _nobody_is_written_to_again(house)
        house.worker.close()
    assert house.states() == Counter({State.ACCEPTED: BEFORE}) + Counter({SMTP[mode]: DURING})
    assert balance(house.edition).exact
    arrived = _recipients(server)
    assert max(arrived.values()) == 1
    refused = DURING if SMTP[mode] == State.REJECTED else 0
    # What is unknown here had arrived, each of them: to send it again would have been the second mail.
    assert len(arrived) == BEFORE + DURING - refused
    assert Suppression.objects.count() == (DURING if mode == "rcpt 550" else 0)
    if mode in SESSION_KEPT:
        assert server.connections <= 1 + ("hang" in mode)
    elif SMTP[mode] == State.ACCEPTED:
        assert server.connections > dialled


def _meet(mode: str, server: FaultSMTP, house: House) -> None:
    """Let the worker run into the fault with the session it has, then lift it."""
    server.mode = mode
    away = {"EMAIL_PORT": free_port()} if mode == "refused" else {}
    if mode in {"refused", "close before banner", "banner 421"}:
        server.hang_up()
    with override_settings(**away):
        house.send()
    server.mode = "fine"


def _nobody_is_written_to_again(house: House) -> None:
    """Run on through the hours in which an edition may leave, and beyond them."""
    for hours in (1, 6, 12, 24):
        house.later(hours=hours)
        house.send(any_hour=True)


def _recipients(server: FaultSMTP) -> Counter[str]:
    found = [re.findall(rb"^To: (\S+)\r$", each, re.MULTILINE) for each in server.taken]
    assert all(len(each) == 1 for each in found)
    return Counter(each[0].decode() for each in found)


@pytest.mark.parametrize("mode", providers.MODES)
@pytest.mark.parametrize("name", DIALECTS)
def test_an_edition_survives_every_fault_of_a_provider(
    name: str, mode: str, provider: Provider, house: House
) -> None:
    provider.keeps, provider.patience = True, PATIENCE if mode == "hang" else 10.0
    with override_settings(**provider.settings(name)):
        house.send(limit=BEFORE)
        provider.mode = mode
        if mode == "refused":
            provider.stop()
            house.send()
            provider.start()
        else:
            house.send()
        provider.mode = "fine"
        met = len(provider.requests)
        house.later(hours=1)
        house.send()
        _nobody_is_written_to_again(house)
    # A 503 with Retry-After asks to wait: the others of its group are not offered before that is over.
    spared = DURING - 1 if mode == "503" else 0
    expected = Counter({State.ACCEPTED: BEFORE + spared}) + Counter({HTTP[mode]: DURING - spared})
    assert house.states() == expected
    assert balance(house.edition).exact
    arrived = Counter(mail.to[0] for mail in provider.accepted)
    assert max(arrived.values()) == 1
    nothing_came = HTTP[mode] == State.REJECTED or mode.endswith("before body")
    assert len(arrived) == BEFORE + (0 if nothing_came else DURING)
    assert not Suppression.objects.exists()
    if HTTP[mode] == State.UNKNOWN:
        assert len(provider.requests) == met + spared, "what may have arrived was offered again"
    _same_bytes_for_each_delivery(provider)


def _same_bytes_for_each_delivery(provider: Provider) -> None:
    """Whatever went over the wire more than once for one delivery was the same each time."""
    if provider.name != "resend":
        return
    bodies: dict[str, set[bytes]] = {}
    for request in provider.requests:
        bodies.setdefault(request.headers["Idempotency-Key"], set()).add(request.body)
    assert len(bodies) >= BEFORE
    assert {len(each) for each in bodies.values()} == {1}
    assert bodies.keys() <= set(Delivery.objects.values_list("public_id", flat=True))


def test_the_tables_name_every_mode() -> None:
    assert (len(SMTP), len(HTTP)) == (18, 11)
    assert (set(SMTP), set(HTTP)) == (set(fault_smtp.MODES), set(providers.MODES))
