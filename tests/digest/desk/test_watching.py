"""Editions are looked at while they leave, even where every worker is busy sending them."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, InterfaceError
from django.test import override_settings
from pytest_django import Settings

from digest import enrolling, halting, progress, tasks, watching
from digest.delivery import run as loop
from digest.models import Delivery, Edition, EditionFigures
from tests.cast import a_frozen_edition, a_paper, a_reader
from tests.digest.desk.letters import WEDNESDAY, a_moving_edition, deliveries
from tests.sinks.smtp_sink import SmtpSink

SIX = datetime(2026, 3, 4, 6, tzinfo=UTC)
EIGHT = datetime(2026, 3, 4, 8, tzinfo=UTC)


class Refusing(SmtpSink):
    """Knows no mailbox."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd
        self, server: object, session: object, envelope: object, address: str, options: list[str]
    ) -> str:
        del server, session, envelope, address, options
        return "550 5.1.1 no such user"


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_sends_to_mailboxes_that_are_not_there_stops_by_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IN_FLIGHT, settings.SENDERS = 5, 2
    monkeypatch.setattr(halting, "BOUNCES", halting.Limit("bounced for good", 0.02, 0.05, least=20, fewest=1))
    monkeypatch.setattr(progress, "EVERY", progress.EVERY / 1000)
    for _ in range(120):
        a_reader()
    edition = a_frozen_edition(WEDNESDAY, a_paper(), approved_at=SIX)
    enrolling.enroll(edition, at=SIX)
    with Refusing() as sink, override_settings(**sink.settings):
        looks = watching.Watch(lambda: EIGHT)
        worker = loop.Worker(lambda: EIGHT, on_settled=looks)
        loop.run(worker)
        worker.close()
    edition.refresh_from_db()
    assert edition.state == Edition.State.PAUSED
    assert "bounced for good, 100.0%" in edition.pause_reason
    assert edition.deliveries.filter(state=Delivery.State.REJECTED).count() < 60


@pytest.mark.django_db
def test_beats_task_looks_at_what_moves() -> None:
    edition = a_moving_edition()
    deliveries(edition, 2, Delivery.State.ACCEPTED)
    tasks.watch()
    assert EditionFigures.objects.get().states == {"accepted": 2}


@pytest.mark.django_db
def test_a_worker_does_not_look_at_every_group_it_has_sent() -> None:
    edition = a_moving_edition()
    looks = watching.Watch(lambda: EIGHT)
    looks(5)
    EditionFigures.objects.all().delete()
    looks(5)
    assert not EditionFigures.objects.filter(edition=edition).exists()


@pytest.mark.django_db
def test_a_look_that_fails_stops_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    a_moving_edition()

    def broken(*_args: object, **_more: object) -> None:
        raise DatabaseError("deadlock detected")

    monkeypatch.setattr(progress, "keep", broken)
    watching.Watch(lambda: EIGHT)(5)


@pytest.mark.django_db(transaction=True)
def test_a_look_that_fails_in_any_way_leaves_no_reader_without_their_digest(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IN_FLIGHT, settings.SENDERS = 5, 2
    for _ in range(12):
        a_reader()
    edition = a_frozen_edition(WEDNESDAY, a_paper(), approved_at=SIX)
    enrolling.enroll(edition, at=SIX)
    looked: list[object] = []

    def broken(*args: object, **_more: object) -> None:
        looked.append(args)
        raise InterfaceError("the connection is closed")  # no DatabaseError, says PEP 249

    monkeypatch.setattr(progress, "keep", broken)
    with SmtpSink() as sink, override_settings(**sink.settings):
        worker = loop.Worker(lambda: EIGHT, on_settled=watching.Watch(lambda: EIGHT))
        loop.run(worker)
        worker.close()
        assert len(sink.received) == 12
    assert len(looked) == 1, "the next look rests, too"
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.ACCEPTED}
