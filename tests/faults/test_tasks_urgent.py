"""Who has just signed up does not wait for the confirmation until an edition has left."""

from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from django.utils import timezone

from digest import yielding
from digest.tasks import deliver
from subscribers import outbox
from subscribers.models import SystemMail
from subscribers.tasks import send_outbox
from subscribers.waiting import PATIENCE, somebody_waits
from tests.cast import NOON, a_reader
from tests.faults.house import LONG, a_house
from tests.processes import wait_until


def test_what_takes_a_moment_overtakes_what_takes_long(broker: Celery) -> None:
    for _ in range(3):
        deliver.apply_async(expires=55)
    send_outbox.apply_async(expires=55)
    with broker.connection_for_read() as connection:
        first = connection.SimpleQueue("celery").get(timeout=10)
        assert first.headers["task"] == "subscribers.tasks.send_outbox"
        first.ack()


@pytest.mark.django_db
def test_a_mail_that_is_due_is_waited_for_after_some_seconds() -> None:
    outbox.post(a_reader(), SystemMail.Kind.ACCOUNT, at=NOON)
    assert not somebody_waits(at=NOON + PATIENCE - timedelta(seconds=1))
    assert somebody_waits(at=NOON + PATIENCE)


@pytest.mark.django_db
def test_a_worker_does_not_ask_who_waits_after_every_group(monkeypatch: pytest.MonkeyPatch) -> None:
    outbox.post(a_reader(), SystemMail.Kind.ACCOUNT, at=NOON)
    enough = yielding.Yielding(timezone.now)
    assert not enough()
    monkeypatch.setattr(yielding, "monotonic", lambda: enough._next)
    assert enough()


def test_a_confirmation_leaves_while_all_workers_are_busy_with_an_edition(tmp_path: Path) -> None:
    with a_house(tmp_path, pause=0.2) as (house, _broker):
        keys = house.furnish(500)
        house.workers("worker")
        house.let_go(keys)
        # Both processes have their hands full, and there is no beat.
        house.send("digest.tasks.deliver", times=2)
        assert house.sending(keys)
        house.rows("UPDATE subscribers_systemmail SET not_before = %s", house.now())
        mails = "SELECT COUNT(*) FROM subscribers_systemmail WHERE state <> 'sent'"
        assert wait_until(lambda: house.rows(mails) == [(0,)], LONG)
        assert house.states(keys)["accepted"] < len(keys), "it waited for the edition"
        # And the edition goes on by itself.
        assert house.all_accepted(keys)
