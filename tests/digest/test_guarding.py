"""The guard against restored backups: what is judged, what is told outside, and who is let pass."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from django.db import transaction
from django.test import override_settings

from digest import enrolling, guarding, witness
from digest.delivery.run import Worker, run
from digest.models import Delivery, Edition, Guard
from digest.witness import Mark
from subscribers.transport import Outcome
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.sinks.smtp_sink import SmtpSink, free_port

EIGHT = NOON - timedelta(hours=4)
State = Delivery.State


def verdict(own: Mark, *marks: Mark, ancestors: tuple[str, ...] = (), has_sent: bool = True) -> str:
    return guarding.judge(own, marks, ancestors, has_sent=lambda: has_sent).why


def test_a_database_that_knows_all_that_was_sent_may_send() -> None:
    assert verdict(Mark("a", 7), Mark("a", 7)) == ""
    assert verdict(Mark("a", 8), Mark("a", 7)) == "", "it crashed between the database and the outside"


def test_one_place_that_knows_more_is_enough_to_stop() -> None:
    assert verdict(Mark("a", 7), Mark("a", 7), Mark("a", 8)) == guarding.BEHIND


def test_a_copy_in_another_place_may_not_send() -> None:
    assert verdict(Mark("a", 7)) == guarding.MISSING


def test_one_place_that_forgot_stops_nobody() -> None:
    assert verdict(Mark("a", 7), Mark("a", 6)) == ""


def test_a_new_database_may_send_where_an_old_one_did() -> None:
    assert verdict(Mark("new", 0), Mark("old", 50), has_sent=False) == ""
    assert verdict(Mark("new", 0)) == ""


def test_a_backup_from_before_the_guard_may_not() -> None:
    assert verdict(Mark("new", 0), Mark("old", 50), has_sent=True) == guarding.FOREIGN


def test_a_backup_from_before_the_arming_may_not() -> None:
    assert verdict(Mark("old", 90), Mark("new", 91)) == guarding.FOREIGN


def test_what_another_host_remembers_of_before_the_arming_says_nothing() -> None:
    assert verdict(Mark("new", 91), Mark("old", 95), ancestors=("old",)) == ""


@pytest.fixture
def edition() -> Edition:
    for _ in range(4):
        a_reader()
    edition = a_frozen_edition(EIGHT.date(), a_paper(), a_paper(), approved_at=EIGHT)
    enrolling.enroll(edition, at=EIGHT)
    return edition


def deliver() -> None:
    worker = Worker(lambda: EIGHT)
    try:
        run(worker)
    finally:
        worker.close()


def states() -> set[str]:
    return set(Delivery.objects.values_list("state", flat=True))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_what_leaves_is_counted_in_the_database_and_outside(smtp_sink: SmtpSink) -> None:
    with override_settings(IN_FLIGHT=2):
        deliver()
    assert len(smtp_sink.received) == 4
    assert guarding.guard().generation == 2
    assert {mark.generation for mark in witness.told()} == {2}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition", "smtp_sink")
def test_the_count_is_told_outside_before_the_first_byte() -> None:
    told: list[int] = []
    worker = Worker(lambda: EIGHT)
    send_all = worker.senders.send_all

    def looking(messages: Sequence[EmailMessage]) -> list[Outcome]:
        told.extend(mark.generation for mark in witness.told())
        return send_all(messages)

    worker.senders.send_all = looking  # type: ignore[method-assign]
    run(worker)
    worker.close()
    assert set(told) == {1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_a_database_that_has_fallen_behind_sends_nothing(smtp_sink: SmtpSink) -> None:
    guarding.look(at=EIGHT)
    witness.tell(Mark(guarding.guard().lineage, 9))
    deliver()
    assert (len(smtp_sink.received), states()) == (0, {State.READY})
    assert guarding.guard().why == guarding.BEHIND
    witness.tell(Mark(guarding.guard().lineage, 9))
    Guard.objects.update(generation=10)
    deliver()
    assert len(smtp_sink.received) == 0, "once found it stays, whatever is counted since"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before its first group", "after the commit of its first group"])
@pytest.mark.usefixtures("edition")
def test_a_database_restored_under_a_living_worker_sends_nothing(
    smtp_sink: SmtpSink, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Guard.objects.update_or_create(pk=1, defaults={"generation": 5})
    worker = Worker(lambda: EIGHT)
    if moment == "before its first group":
        prepare = worker._prepare
        restored = lambda *a: (Guard.objects.update(generation=3), prepare(*a))[1]  # noqa: E731
        monkeypatch.setattr(worker, "_prepare", restored)
        witness.tell(Mark(guarding.guard().lineage, 5))
    else:
        vouch = worker.passage.vouch
        lineage = guarding.guard().lineage
        behind = lambda: (witness.tell(Mark(lineage, 99)), vouch())[1]  # noqa: E731
        monkeypatch.setattr(worker.passage, "vouch", behind)
        witness.tell(Mark(lineage, 5))
    run(worker)
    worker.close()
    assert len(smtp_sink.received) == 0
    assert states() <= {State.READY, State.DEFERRED}
    assert guarding.guard().why == guarding.BEHIND


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition", "smtp_sink")
def test_a_commit_that_failed_disarms_nobody() -> None:
    passage = guarding.Passage(lambda: EIGHT)
    assert passage.open()
    with transaction.atomic():
        passage.advance()
        transaction.set_rollback(True)
    with transaction.atomic():
        passage.advance()
    assert passage.vouch()
    assert guarding.guard().generation == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("smtp_sink")
def test_two_workers_side_by_side_do_not_stop_each_other() -> None:
    one, other = guarding.Passage(lambda: EIGHT), guarding.Passage(lambda: EIGHT)
    assert one.open()
    assert other.open()
    one.advance()
    other.advance()
    assert other.vouch()
    assert one.vouch()
    assert {mark.generation for mark in witness.told()} == {2}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_without_any_place_outside_nothing_leaves_for_now(smtp_sink: SmtpSink) -> None:
    guarding.look(at=EIGHT)
    away = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0", "EMBEDDED_VALKEY": False}
    with override_settings(WITNESS_DIR=Path("/nonexistent"), **away):
        deliver()
    assert len(smtp_sink.received) == 0
    assert guarding.guard().disarmed_at is None
    deliver()
    assert len(smtp_sink.received) == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_the_log_says_it_once_a_minute_and_not_with_each_row(caplog: pytest.LogCaptureFixture) -> None:
    guarding.look(at=EIGHT)
    witness.tell(Mark(guarding.guard().lineage, 9))
    for seconds in (0, 1, 20, 59, 61, 70):
        guarding.look(at=EIGHT + timedelta(seconds=seconds))
    said = [record for record in caplog.records if "sending_disarmed" in str(record.msg)]
    assert len(said) == 2
    assert "manage.py arm" in str(said[0].msg)
