"""Senders: order, isolation, reuse, and the messages that no wire ever sees."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test import override_settings

from subscribers.outcomes import told
from subscribers.transport import Fate, Interrupted, Outcome, Sender, Senders
from tests.sinks.fault_smtp import FaultSMTP
from tests.sinks.smtp_sink import SmtpSink


def a_message(number: int = 1, subject: str = "", to: str = "") -> EmailMultiAlternatives:
    """Return a plain message to reader `number`."""
    message = EmailMultiAlternatives(
        subject or f"Daily Papers {number}",
        f"Text {number} · ünïcode",
        "Daily Papers <papers@paperboy.example>",
        [to or f"reader{number}@example.org"],
        headers={"Message-ID": f"<delivery-{number}@paperboy.example>"},
    )
    message.attach_alternative(f"<p>HTML {number}</p>", "text/html")
    return message


POISON = {
    "a line break in the subject": a_message(subject="Papers\r\nBcc: everybody@example.org"),
    "a line break in a header": EmailMessage("s", "t", "a@b.example", ["c@d.example"], headers={"X": "1\n2"}),
    "a line break in the address": a_message(to="reader@example.org>\r\nRCPT TO:<other@example.org"),
    "a local part outside ASCII": a_message(to="jos\N{LATIN SMALL LETTER E WITH ACUTE}@example.org"),
    "no at sign": a_message(to="reader.example.org, "),
    "no recipient": EmailMessage("s", "t", "a@b.example", []),
}


@pytest.mark.parametrize("poison", POISON)
def test_one_poison_message_of_a_hundred_costs_nobody_else_theirs(poison: str, smtp_sink: SmtpSink) -> None:
    messages: list[EmailMessage] = [a_message(number) for number in range(100)]
    messages[41] = POISON[poison]
    with Senders(threads=2) as senders:
        outcomes = senders.send_all(messages)
    assert [number for number, outcome in enumerate(outcomes) if outcome.fate is not Fate.ACCEPTED] == [41]
    assert outcomes[41].fate is Fate.REJECTED
    assert outcomes[41].detail
    assert "@" not in outcomes[41].detail
    assert not outcomes[41].address_is_bad
    assert len(smtp_sink.received) == 99


def test_a_message_arrives_with_its_headers_and_both_bodies(smtp_sink: SmtpSink) -> None:
    sender = Sender()
    assert sender.send(a_message(7)) == Outcome(Fate.ACCEPTED)
    sender.close()
    (received,) = smtp_sink.received
    assert received.recipients == ("reader7@example.org",)
    assert received.mail_from == "papers@paperboy.example"
    assert received.message["Message-ID"] == "<delivery-7@paperboy.example>"
    text, html = received.message.iter_parts()
    assert text.get_content().strip() == "Text 7 · ünïcode"
    assert html.get_content().strip() == "<p>HTML 7</p>"


class SlowFirst(BaseEmailBackend):
    """Takes longest for what it is given first; notes who sent what."""

    threads: dict[str, str] = {}

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """Take one message."""
        number = int(str(messages[0].subject).split()[-1])
        time.sleep(0.002 * (20 - number))
        self.threads[str(number)] = threading.current_thread().name
        if number == 5:
            raise RuntimeError("reader5@example.org broke it")
        if number == 6:
            raise MemoryError
        return 1


def test_outcomes_come_back_in_the_order_of_the_messages_and_a_crash_costs_one() -> None:
    with Senders(SlowFirst, threads=4) as senders:
        outcomes = senders.send_all([a_message(number) for number in range(20)])
        again = senders.send_all([a_message(19)])
    assert [number for number, each in enumerate(outcomes) if each.fate is Fate.UNKNOWN] == [5, 6]
    assert [each.fate for each in outcomes].count(Fate.ACCEPTED) == 18
    assert outcomes[5].detail == "RuntimeError: (address) broke it"
    assert again == [Outcome(Fate.ACCEPTED)]
    assert len(set(SlowFirst.threads.values())) == 4


def test_each_thread_keeps_one_connection_over_many_calls() -> None:
    with FaultSMTP() as server, override_settings(**server.settings):
        with Senders(threads=3) as senders:
            for _ in range(5):
                senders.send_all([a_message(number) for number in range(9)])
        assert server.connections <= 3
        assert len(server.taken) == 45


def test_the_number_of_threads_is_a_setting() -> None:
    with override_settings(SENDERS=5), Senders(SlowFirst) as senders:
        senders.send_all([a_message(number) for number in range(7, 20)])
        assert len({each.name for each in threading.enumerate() if each.name.startswith("sender")}) == 5


def test_an_interrupted_caller_leaves_the_rest_unsent_and_learns_of_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[str] = []

    class Counting(BaseEmailBackend):
        def send_messages(self, messages: Sequence[EmailMessage]) -> int:
            begun.append(str(messages[0].subject))
            time.sleep(0.05)
            return 1

    wait, calls = Future.result, iter(range(1000))

    def interrupted_once(future: Future[Outcome], timeout: float | None = None) -> Outcome:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return wait(future, timeout)

    with Senders(Counting, threads=2) as senders:
        monkeypatch.setattr(Future, "result", interrupted_once)
        with pytest.raises(Interrupted) as stopped:
            senders.send_all([a_message(number) for number in range(50)])
    assert isinstance(stopped.value.__cause__, KeyboardInterrupt)
    fates = [outcome.fate for outcome in stopped.value.outcomes]
    assert len(begun) <= 6
    assert fates.count(Fate.ACCEPTED) == len(begun)
    assert fates.count(Fate.NOT_SENT) == 50 - len(begun)


class Broken(EmailMessage):
    """A message that fails where no backend looks: after it was sent."""

    @property
    def anymail_status(self) -> None:
        """Fail."""
        raise RuntimeError("our own mistake")


def test_a_crash_of_our_own_after_the_wire_leaves_that_one_unknown(smtp_sink: SmtpSink) -> None:
    broken = Broken("s", "t", "papers@paperboy.example", ["reader9@example.org"])
    with Senders(threads=1) as senders:
        outcomes = senders.send_all([a_message(1), broken, a_message(2)])
    assert [each.fate for each in outcomes] == [Fate.ACCEPTED, Fate.UNKNOWN, Fate.ACCEPTED]
    assert len(smtp_sink.received) == 3


def test_a_connection_is_left_after_a_fault_even_when_it_will_not_close() -> None:
    made: list[BaseEmailBackend] = []

    class Stubborn(BaseEmailBackend):
        def __init__(self, **_: object) -> None:
            super().__init__()
            made.append(self)

        def send_messages(self, messages: Sequence[EmailMessage]) -> int:
            if "2" in str(messages[0].subject):
                raise RuntimeError("broken")
            return 1

        def close(self) -> None:
            raise RuntimeError("will not")

    sender = Sender(Stubborn)
    fates = [sender.send(a_message(number)).fate for number in (1, 2, 3, 4)]
    assert fates == [Fate.ACCEPTED, Fate.UNKNOWN, Fate.ACCEPTED, Fate.ACCEPTED]
    assert len(made) == 2


def test_sender_threads_do_no_database_work(smtp_sink: SmtpSink) -> None:
    """pytest-django refuses every query here: no test in this file asks for the database."""
    with pytest.raises(RuntimeError), connection.cursor():
        pass
    with Senders(threads=2) as senders:
        assert senders.send_all([a_message()])[0].fate is Fate.ACCEPTED
    assert len(smtp_sink.received) == 1


@pytest.mark.parametrize("backend", ["locmem", "console", "dummy"])
def test_the_backends_of_development_accept(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(EMAIL_BACKEND=f"django.core.mail.backends.{backend}.EmailBackend"):
        assert Sender().send(a_message()).fate is Fate.ACCEPTED
    assert ("delivery-1" in capsys.readouterr().out) is (backend == "console")


def test_a_folder_that_cannot_be_one_has_nothing(tmp_path: Path) -> None:
    in_the_way = tmp_path / "mails"
    in_the_way.touch()
    file_backend = "django.core.mail.backends.filebased.EmailBackend"
    with override_settings(EMAIL_BACKEND=file_backend, EMAIL_FILE_PATH=str(in_the_way)):
        assert Sender().send(a_message()).fate is Fate.NOT_SENT


def test_a_connection_that_would_fail_silently_is_told_not_to() -> None:
    with FaultSMTP(mode="refused") as server, override_settings(**server.settings):
        outcome = Sender(lambda: get_connection(fail_silently=True)).send(a_message())
    assert outcome.fate is Fate.NOT_SENT


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("550 <a.b@c.example> unknown", "550 <(address)> unknown"),
        ("rejected: 'a@b.example', \"x y\"@c.example", "rejected: '(address)', (address)"),
        ("to=a%40b.example&x=1", "to=(address)&x=1"),
        ("two\r\nlines\x00 and\ta tab", "two lines and a tab"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_detail_is_one_line_without_addresses(text: str, detail: str) -> None:
    assert told(text) == detail
