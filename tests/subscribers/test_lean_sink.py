"""The sink of the benches counts what it is sent, each message once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from django.test import override_settings

from subscribers.transport import Fate, Senders
from tests.sinks.smtp_sink import SmtpSink


@pytest.fixture
def lean_sink(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The sink in a process of its own, its files in `tmp_path`."""
    command = [
        sys.executable,
        "-m",
        "tests.sinks.lean_sink",
        "--log",
        str(tmp_path / "log"),
        "--mbox",
        str(tmp_path / "box"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_every_message_is_one_line_of_the_log(lean_sink: "subprocess.Popen[str]", tmp_path: Path) -> None:
    assert lean_sink.stdout is not None
    port = int(lean_sink.stdout.readline())
    messages = [
        EmailMessage(
            f"Papers {number}",
            ".dots\n..and more\nFrom the start\n" * 3000 if number % 7 == 0 else ".",
            "papers@paperboy.example",
            [f"reader{number}@example.org"],
            headers={"Message-ID": f"<delivery-{number}@paperboy.example>"},
        )
        for number in range(60)
    ]
    with override_settings(**SmtpSink(port=port).settings), Senders(threads=3) as senders:
        assert {each.fate for each in senders.send_all(messages)} == {Fate.ACCEPTED}
    lean_sink.send_signal(signal.SIGTERM)
    assert lean_sink.stdout.read() == "60 messages\n"
    lines = (tmp_path / "log").read_text().splitlines()
    assert sorted(lines) == sorted(
        f"reader{n}@example.org\t<delivery-{n}@paperboy.example>" for n in range(60)
    )
    box = (tmp_path / "box").read_text()
    assert box.count("\nSubject: Papers ") == 60
    assert box.count("\nFrom sink ") == 59
    assert "\n.dots\n..and more\n>From the start\n" in box
