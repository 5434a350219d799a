"""The supervisor over small real processes, and the lock on a folder."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.conf import settings

from digest.supervision import AlreadyRunningError, sole
from tests.processes import descendants, living, wait_until

#: Runs a Supervisor over {name: python code}, prints who died, and ends.
SCRIPT = """
    import json, os, sys
    from pathlib import Path
    from digest.supervision import Supervisor
    wished = lambda: print("asked to stop")
    supervisor = Supervisor(grace=float(sys.argv[1]), on_tick=lambda: None, on_wish=wished)
    for name, code in json.loads(sys.argv[2]).items():
        supervisor.add(name, [sys.executable, "-c", code], environment=os.environ, folder=Path.cwd())
    supervisor.loop()
    print("died:", supervisor.died, supervisor.returncode, flush=True)
"""
WAITING = "import time; print('here', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITING


def _supervise(processes: Mapping[str, str], grace: float = 10) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-u", "-c", textwrap.dedent(SCRIPT), str(grace), json.dumps(processes)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _all_here(process: "subprocess.Popen[str]", count: int) -> set[int]:
    """Wait until `count` processes have said "here"; return all processes below the supervisor."""
    assert process.stdout is not None
    while count:
        count -= "here" in process.stdout.readline()
    return set(descendants(process.pid))


@pytest.mark.parametrize("wish", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_wish_to_stop_ends_all_and_nobody_died(wish: signal.Signals) -> None:
    process = _supervise({"one": WAITING, "two": WAITING})
    family = _all_here(process, 2)
    process.send_signal(wish)
    said, _ = process.communicate(timeout=20)
    assert "died:  None" in said
    assert said.count("asked to stop") == 1
    assert not living(family)


def test_a_wish_before_anything_has_started_is_not_lost() -> None:
    code = "import os, signal, time; os.kill(os.getppid(), 0); " + WAITING
    process = _supervise({"one": code, "two": WAITING})
    assert wait_until(lambda: len(descendants(process.pid)) > 0)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert "KeyError" not in said
    assert process.returncode in {0, -signal.SIGTERM}


def test_the_end_of_one_is_the_end_of_all_and_it_is_named() -> None:
    process = _supervise({"brief": "raise SystemExit(3)", "long": WAITING})
    said, _ = process.communicate(timeout=20)
    assert "died: brief 3" in said
    assert "asked to stop" not in said


def test_a_clean_end_nobody_asked_for_counts_as_a_death() -> None:
    process = _supervise({"brief": "", "long": WAITING})
    said, _ = process.communicate(timeout=20)
    assert "died: brief 0" in said


def test_who_does_not_stop_within_the_grace_is_killed() -> None:
    process = _supervise({"stubborn": STUBBORN, "two": WAITING}, grace=1)
    family = _all_here(process, 2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert not living(family)


def test_a_second_wish_does_not_wait_for_the_grace() -> None:
    process = _supervise({"stubborn": STUBBORN}, grace=300)
    family = _all_here(process, 1)
    process.send_signal(signal.SIGINT)
    assert not wait_until(lambda: process.poll() is not None, 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert not living(family)


def test_nobody_outlives_a_killed_supervisor() -> None:
    process = _supervise({"stubborn": STUBBORN, "two": WAITING}, grace=1)
    family = _all_here(process, 2)
    process.kill()
    process.wait()
    assert wait_until(lambda: not living(family), 15)


def test_grandchildren_of_a_dead_process_do_not_hold_the_others_up() -> None:
    code = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {WAITING!r}]); raise SystemExit(4)"
    )
    process = _supervise({"parent": code, "long": WAITING})
    family = _all_here(process, 1)
    said, _ = process.communicate(timeout=20)
    assert "died: parent 4" in said
    assert not living(family)


def test_a_folder_has_one_supervisor(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from digest.supervision import sole; "
    code += "sole(Path(sys.argv[1])).__enter__()"
    with sole(tmp_path) as killed:
        assert not killed
        other = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
    assert AlreadyRunningError.__name__ in other.stderr
    assert str(tmp_path) in other.stderr


def test_it_is_noticed_when_the_one_before_was_killed(tmp_path: Path) -> None:
    (tmp_path / "up.lock").write_text(f"{os.getpid()}\n")
    with sole(tmp_path) as killed:
        assert killed
    with sole(tmp_path) as killed:
        assert not killed
