"""Two at the desk at once, and a worker that sends while somebody stops it."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django import Settings

from digest import curation, enrolling, progress, watching
from digest.delivery import run as loop
from digest.delivery.balance import balance, kept
from digest.models import Decision, Delivery, Edition
from tests.cast import a_frozen_edition, a_paper, a_reader
from tests.digest.access.people import somebody
from tests.digest.desk.letters import WEDNESDAY
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
SIX = datetime(2026, 3, 4, 6, tzinfo=UTC)
EIGHT = datetime(2026, 3, 4, 8, tzinfo=UTC)
IN_FLIGHT = 5


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """Do all of `deeds` in threads of their own, started together; return what each gave."""
    line = threading.Barrier(len(deeds))
    given: list[object] = [None] * len(deeds)

    def do(place: int, deed: Callable[[], object]) -> None:
        try:
            line.wait()
            given[place] = deed()
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=each) for each in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return given


def test_of_two_who_approve_at_once_one_has_and_the_other_hears_who() -> None:
    edition = a_frozen_edition(WEDNESDAY, a_paper(), state=Edition.State.FROZEN)
    way = reverse("admin:edition_sending_approve", args=[edition.pk])
    pages = {}
    for name in ("ada", "ben"):
        browser = Client()
        browser.force_login(somebody("curator", name))
        pages[name] = browser

    def press(name: str) -> str:
        return pages[name].post(way, {"revision": 0}, follow=True).content.decode()

    said = at_once(lambda: press("ada"), lambda: press("ben"))
    assert Decision.objects.count() == 1
    first = Decision.objects.get().by_name
    assert sum("Approved." in str(page) for page in said) == 1
    assert sum(f"It is approved already: {first} approved the edition" in str(page) for page in said) == 1
    assert Edition.objects.get().state == Edition.State.APPROVED


class Slow(SmtpSink):
    """Takes its time over each message, so that somebody can press a button meanwhile."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(0.05)
        return answer


@pytest.fixture
def sending(settings: Settings) -> Edition:
    """An edition with 80 readers, all due."""
    settings.IN_FLIGHT, settings.SENDERS = IN_FLIGHT, 2
    for _ in range(80):
        a_reader()
    edition = a_frozen_edition(WEDNESDAY, *(a_paper() for _ in range(5)), approved_at=SIX)
    enrolling.enroll(edition, at=SIX)
    edition.refresh_from_db()
    return edition


def work() -> None:
    worker = loop.Worker(lambda: EIGHT)
    try:
        loop.run(worker)
    finally:
        worker.close()
        connection.close()


@pytest.mark.parametrize("deed", ["pause", "cancel"])
def test_after_the_button_at_most_the_messages_in_flight_leave(sending: Edition, deed: str) -> None:
    with Slow() as sink, override_settings(**sink.settings):
        worker = threading.Thread(target=work)
        worker.start()
        while len(sink.received) < 12:
            assert worker.is_alive()
        if deed == "pause":
            curation.pause(sending, reason="a typo")
        else:
            curation.cancel(sending, at=EIGHT)
        gone = len(sink.received)
        worker.join(30)
        assert not worker.is_alive()
        late = len(sink.received) - gone
        assert late <= IN_FLIGHT
        assert len(sink.received) < 80
        watching.watch(at=EIGHT)
        account = balance(sending)
        assert account.exact
        assert account.accepted == len(sink.received)
        if deed == "cancel":
            assert (account.open, account.cancelled) == (0, 80 - len(sink.received))
            return
        assert account.open == 80 - len(sink.received)
        curation.resume(sending, at=EIGHT)
        work()
    sending.refresh_from_db()
    assert kept(progress.keep(sending, at=EIGHT)).accepted == 80
    assert len({each.recipients for each in sink.received}) == 80


def test_two_counts_at_once_while_readers_are_enrolled_always_add_up() -> None:
    for _ in range(60):
        a_reader()
    edition = a_frozen_edition(WEDNESDAY, a_paper(), approved_at=SIX)
    seen: list[bool] = []
    done = threading.Event()

    def enroll() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(enrolling, "PAGE", 3)
            enrolling.enroll(edition, at=SIX)
        done.set()

    def count() -> None:
        while not done.is_set():
            seen.append(kept(progress.keep(edition, at=EIGHT)).exact)

    at_once(enroll, count)
    assert seen
    assert all(seen)
    assert Delivery.objects.count() == 60
