"""One request at a time with a pause between, over all threads and processes."""

import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from itertools import pairwise

import pytest
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from digest.models import SourceTurn
from digest.sources import turn as turns
from digest.sources.base import SourceError
from digest.sources.turn import turn

PAUSE = timedelta(milliseconds=200)


def held(times: list[tuple[float, float]], rounds: int) -> None:
    """Take the turn `rounds` times and note when it was held."""
    try:
        for _ in range(rounds):
            with turn("somewhere", pause=PAUSE):
                began = time.monotonic()
                time.sleep(0.02)
                times.append((began, time.monotonic()))
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_threads_take_turns_and_keep_the_pause() -> None:
    times: list[tuple[float, float]] = []
    threads = [threading.Thread(target=held, args=(times, 3)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 12
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(sorted(times))]
    assert min(gaps) >= PAUSE.total_seconds() - 0.005  # SQLite's clock counts milliseconds


@pytest.mark.django_db(transaction=True)
def test_processes_take_turns_and_keep_the_pause() -> None:
    program = (
        "import django, time; django.setup()\n"
        "from datetime import timedelta\n"
        "from django.conf import settings\n"
        f"settings.DATABASES['default']['NAME'] = {settings.DATABASES['default']['NAME']!r}\n"
        "from digest.sources.turn import turn\n"
        "for _ in range(3):\n"
        "    with turn('somewhere', pause=timedelta(milliseconds=200)):\n"
        "        began = time.time(); time.sleep(0.02); print(began, time.time(), flush=True)\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "digest.settings"}
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(3)
    ]
    lines = [line for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    times = sorted(tuple(map(float, line.split())) for line in lines)
    assert len(times) == 9
    assert min(later[0] - earlier[1] for earlier, later in pairwise(times)) >= 0.19


@pytest.mark.django_db(transaction=True)
def test_the_pause_begins_when_the_answer_is_there() -> None:
    with turn("somewhere", pause=timedelta(seconds=30)):
        inside = SourceTurn.objects.get(source="somewhere")
    after = SourceTurn.objects.get(source="somewhere")
    assert inside.owner
    assert not after.owner
    left = after.free_at - timezone.now()
    assert timedelta(seconds=29) < left <= timedelta(seconds=31)


@pytest.mark.django_db(transaction=True)
def test_a_dead_owner_holds_the_others_up_no_longer_than_its_lease() -> None:
    SourceTurn.objects.create(
        source="somewhere", owner="dead", free_at=timezone.now() + timedelta(seconds=0.4)
    )
    began = time.monotonic()
    with turn("somewhere", pause=PAUSE):
        assert 0.3 < time.monotonic() - began < 2


@pytest.mark.django_db(transaction=True)
def test_a_fault_within_the_turn_gives_it_back() -> None:
    with pytest.raises(RuntimeError, match="boom"), turn("somewhere", pause=timedelta(0)):
        raise RuntimeError("boom")
    assert SourceTurn.objects.get(source="somewhere").owner == ""


@pytest.mark.django_db(transaction=True)
def test_an_owner_that_lost_its_turn_does_not_shorten_anothers() -> None:
    with turn("somewhere", pause=PAUSE):
        SourceTurn.objects.filter(source="somewhere").update(
            owner="another", free_at=timezone.now() + timedelta(seconds=60)
        )
    row = SourceTurn.objects.get(source="somewhere")
    assert row.owner == "another"
    assert row.free_at > timezone.now() + timedelta(seconds=50)


@pytest.mark.django_db(transaction=True)
def test_a_clock_set_back_does_not_stop_the_source_for_hours() -> None:
    SourceTurn.objects.create(source="somewhere", free_at=timezone.now() + timedelta(hours=5))
    began = time.monotonic()
    with turn("somewhere", pause=PAUSE):
        assert time.monotonic() - began < 2


@pytest.mark.django_db(transaction=True)
def test_waiting_for_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_WAITING", 0.3)
    SourceTurn.objects.create(
        source="somewhere", owner="busy", free_at=timezone.now() + timedelta(seconds=60)
    )
    with pytest.raises(SourceError, match="Others kept asking somewhere"), turn("somewhere"):
        pytest.fail("the turn was taken")  # pragma: no cover
    assert connection.is_usable()
