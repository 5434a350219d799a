"""What is told outside the database: in a file, and by a broker that all hosts share."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.test import override_settings

from digest import enrolling, guarding, witness
from digest.delivery.run import Worker, run
from digest.models import Delivery, Edition, Guard
from digest.witness import Mark
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.sinks.smtp_sink import SmtpSink, free_port

EIGHT = NOON - timedelta(hours=4)


def test_the_count_outside_only_grows() -> None:
    witness.tell(Mark("a", 5))
    assert Mark("a", 5) in witness.tell(Mark("a", 4))
    assert set(witness.told()) == {Mark("a", 5)}


def test_a_copy_of_the_file_is_no_witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    witness.tell(Mark("a", 5))
    original = Path(settings.WITNESS_DIR) / witness.FILE
    monkeypatch.setattr(witness, "_SLACK", -60.0)  # as if it were copied a minute later
    assert witness._in_file() == Mark("a", 5)
    shutil.copy2(original, tmp_path / witness.FILE)  # with its times, as backups have them
    with override_settings(WITNESS_DIR=tmp_path):
        assert witness._in_file() is None


def test_a_file_whose_owner_was_set_anew_is_the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    witness.tell(Mark("a", 5))
    os.utime(Path(settings.WITNESS_DIR) / witness.FILE, (time.time(), time.time() + 3600))
    monkeypatch.setattr(witness, "_SLACK", -3600.0)
    assert witness._in_file() == Mark("a", 5)


def test_a_torn_file_is_no_witness_and_is_written_anew() -> None:
    (Path(settings.WITNESS_DIR) / witness.FILE).write_text('{"lineage": "a", "gener')
    assert witness._in_file() is None
    witness.tell(Mark("a", 5))
    assert witness._in_file() == Mark("a", 5)


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


@pytest.fixture
def shared(cache_server: None) -> Iterator[Callable[[], object]]:  # noqa: ARG001 - it is there
    """Let the broker be a witness, too; return what makes it forget."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    with override_settings(EMBEDDED_VALKEY=False):
        yield lambda: client.delete(witness._key())
    client.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_a_broker_that_was_flushed_disarms_nobody_and_is_told_again(
    smtp_sink: SmtpSink, shared: Callable[[], object]
) -> None:
    guarding.look(at=EIGHT)
    Guard.objects.update(generation=5)
    guarding.look(at=EIGHT)
    shared()
    deliver()
    assert len(smtp_sink.received) == 4
    assert [mark.generation for mark in witness.told()] == [6, 6]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition")
def test_a_host_with_a_new_disk_asks_the_broker(
    smtp_sink: SmtpSink, shared: Callable[[], object], tmp_path: Path
) -> None:
    Guard.objects.update_or_create(pk=1, defaults={"generation": 5})
    witness.tell(Mark(guarding.guard().lineage, 5))
    with override_settings(WITNESS_DIR=tmp_path):
        deliver()
        assert len(smtp_sink.received) == 4
        shared()
        (tmp_path / witness.FILE).unlink()
        assert guarding.look(at=EIGHT) is None
    assert guarding.guard().why == guarding.MISSING


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("edition", "shared")
def test_the_file_alone_carries_on_while_the_broker_is_away(smtp_sink: SmtpSink) -> None:
    guarding.look(at=EIGHT)
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"):
        deliver()
    assert len(smtp_sink.received) == 4
