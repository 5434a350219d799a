"""The disk is full for a while: what left keeps its outcome, nothing goes twice, no hand is needed."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.sinks.smtp_sink import SmtpSink

READERS = 15
#: Seconds for which the disk is full.
FULL = 2.0


class Sink(SmtpSink):
    """Takes mails, and does `deed` as it takes the first one and the last."""

    deed: Callable[[], object]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.received) in {1, READERS}:
            self.deed()
        return answer


@contextmanager
def installation(folder: Path, sink: SmtpSink) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own, whose files alone the disk is full for."""
    environment = {
        **{name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}},
        "DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "digest.settings",
        "EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
        "IN_FLIGHT": "5",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.full_disk_side", str(READERS)],
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("wb"),
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_left_keeps_its_outcome_and_the_rest_leaves_once_there_is_room(tmp_path: Path) -> None:
    sink = Sink()
    with sink, installation(tmp_path, sink) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def fill_up() -> None:
            process.send_signal(signal.SIGUSR1)
            threading.Timer(FULL, process.send_signal, (signal.SIGUSR2,)).start()

        sink.deed = fill_up
        assert process.stdout.readline() == "ready\n", (tmp_path / "log").read_text()[-3000:]
        fill_up()  # nothing can be claimed; then no outcome written: with the next group, and at last alone
        process.stdin.write("go\n")
        process.stdin.flush()
        account = process.stdout.readline()
        said = (tmp_path / "log").read_text()
    assert account.startswith(f"enrolled {READERS} = accepted {READERS} + "), account + said[-3000:]
    assert said.count("database_tried_again") >= 3, "the disk was never full"
    got = Counter(recipient for mail in sink.received for recipient in mail.recipients)
    assert len(got) == READERS
    assert set(got.values()) == {1}
