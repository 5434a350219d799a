"""SMTP faults are classed by what reached the wire: each of the eighteen modes, on every kind of session."""

import itertools
import time
from collections.abc import Iterator

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import override_settings

from subscribers.transport import Fate, Outcome, Sender
from tests.sinks.fault_smtp import MODES, FaultSMTP

_serial = itertools.count(1)

#: What each mode must be called. The body of the mid-body modes is too long for the kernel to swallow.
EXPECTED = {
    "refused": Fate.NOT_SENT,
    "close before banner": Fate.NOT_SENT,
    "banner 421": Fate.NOT_SENT,
    "mail 451": Fate.DEFERRED,
    "rcpt 450": Fate.DEFERRED,
    "rcpt 550": Fate.REJECTED,
    "data 451": Fate.DEFERRED,
    "close mid-body": Fate.NOT_SENT,
    "reset mid-body": Fate.NOT_SENT,
    "hang before 354": Fate.NOT_SENT,
    "dot 451": Fate.DEFERRED,
    "dot 421": Fate.DEFERRED,
    "dot 554": Fate.REJECTED,
    "close after dot": Fate.UNKNOWN,
    "reset after dot": Fate.UNKNOWN,
    "hang after dot": Fate.UNKNOWN,
    "250 then close": Fate.ACCEPTED,
    "250 then hang on quit": Fate.ACCEPTED,
}
#: Seconds a test waits for a server that hangs; long enough for a good answer on a busy machine.
PATIENCE = 0.6
BEFORE_THE_SESSION = {"refused", "close before banner", "banner 421"}


def a_message(to: str = "", *, text: str = "A text that is short.") -> EmailMultiAlternatives:
    """Return a plain message to one reader."""
    message = EmailMultiAlternatives(
        "Daily Papers", text, "papers@paperboy.example", [to or f"reader{next(_serial)}@example.org"]
    )
    message.attach_alternative("<p>A text</p>", "text/html")
    return message


def a_long_message() -> EmailMultiAlternatives:
    """Return a message longer than what two kernels hold between them on loopback."""
    return a_message(text="a line of text that goes on to the end of it\n" * 120_000)


@pytest.fixture
def sender() -> Iterator[Sender]:
    """One Sender, closed afterwards."""
    one = Sender()
    yield one
    one.close()


def send_into(mode: str, sender: Sender, server: FaultSMTP, *, reused: bool) -> Outcome:
    """Send one message that meets `mode`, as the first of its session or after a good one."""
    with override_settings(**server.settings):
        if reused:
            server.mode = "fine"
            assert sender.send(a_message()).fate is Fate.ACCEPTED
            server.taken.clear()
            server.mode = mode
            if mode == "refused":
                server.stop()
            elif mode in BEFORE_THE_SESSION:
                server.hang_up()
        return sender.send(a_long_message() if mode.endswith("mid-body") else a_message())


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "one by one"])
@pytest.mark.parametrize("reused", [False, True], ids=["first", "reused"])
@pytest.mark.parametrize("mode", MODES)
def test_every_smtp_fault_gets_its_class(mode: str, reused: bool, pipelining: bool, sender: Sender) -> None:
    patience = PATIENCE if "hang" in mode else 10.0
    with FaultSMTP("fine" if reused else mode, pipelining=pipelining, patience=patience) as server:
        outcome = send_into(mode, sender, server, reused=reused)
        sender.close()
    assert outcome.fate is EXPECTED[mode], outcome
    assert outcome.address_is_bad is (mode == "rcpt 550")
    # The law itself: what may be sent again is not there, and what is called accepted is.
    if outcome.fate is Fate.NOT_SENT:
        assert server.taken == []
    if outcome.fate in {Fate.ACCEPTED, Fate.UNKNOWN}:
        assert len(server.taken) == 1


def test_the_table_names_all_eighteen_modes() -> None:
    assert len(MODES) == 18
    assert set(MODES) == set(EXPECTED)


@pytest.mark.parametrize("mode", ["close mid-body", "reset mid-body"])
def test_a_short_body_cut_in_the_middle_is_never_called_accepted(mode: str, sender: Sender) -> None:
    with FaultSMTP(mode=mode) as server, override_settings(**server.settings):
        outcome = sender.send(a_message())
    # The kernel took the whole body before the server went away, so nobody here can know.
    assert outcome.fate in {Fate.UNKNOWN, Fate.NOT_SENT}


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in BEFORE_THE_SESSION])
def test_the_message_after_a_fault_arrives_once(mode: str, sender: Sender) -> None:
    with FaultSMTP(patience=PATIENCE if "hang" in mode else 10.0) as server:
        send_into(mode, sender, server, reused=True)
        server.mode, server.answers = "fine", {}
        server.taken.clear()
        with override_settings(**server.settings):
            assert sender.send(a_message("next@example.org")).fate is Fate.ACCEPTED
    assert [b"next@example.org" in each for each in server.taken] == [True]


def test_a_refused_recipient_does_not_cost_the_connection(sender: Sender) -> None:
    with FaultSMTP() as server:
        assert send_into("rcpt 550", sender, server, reused=True).fate is Fate.REJECTED
        server.mode = "fine"
        assert sender.send(a_message()).fate is Fate.ACCEPTED
    assert server.connections == 1


def test_a_session_the_server_closed_while_idle_is_dialled_again_at_once(sender: Sender) -> None:
    with FaultSMTP() as server, override_settings(**server.settings):
        sender.send(a_message())
        server.hang_up()
        assert sender.send(a_message()).fate is Fate.ACCEPTED
    assert (server.connections, len(server.taken)) == (2, 2)


def test_a_session_that_says_421_to_its_next_message_is_dialled_again_at_once(sender: Sender) -> None:
    """Some relays count the messages of a session and say goodbye instead of closing it."""
    with FaultSMTP() as server, override_settings(**server.settings):
        sender.send(a_message())
        server.answers = {"MAIL": b"421 4.7.0 Too many messages in this session\r\n"}
        outcome = sender.send(a_message())
    assert outcome.fate is Fate.DEFERRED
    assert (server.connections, len(server.taken)) == (2, 1)


def test_a_fresh_session_that_fails_is_not_tried_twice(sender: Sender) -> None:
    with (
        FaultSMTP(answers={"MAIL": b"421 4.7.0 Not today\r\n"}) as server,
        override_settings(**server.settings),
    ):
        assert sender.send(a_message()).fate is Fate.DEFERRED
    assert server.connections == 1


def test_a_session_is_renewed_after_a_thousand_messages(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subscribers.transport.MESSAGES_PER_CONNECTION", 3)
    with FaultSMTP() as server, override_settings(**server.settings):
        fates = {sender.send(a_message()).fate for _ in range(7)}
    assert fates == {Fate.ACCEPTED}
    assert (server.connections, len(server.taken)) == (3, 7)


def test_a_session_that_lay_idle_for_long_is_renewed_before_it_is_used(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultSMTP() as server, override_settings(**server.settings):
        sender.send(a_message())
        monkeypatch.setattr("subscribers.transport.IDLE_SECONDS", -1.0)
        sender.send(a_message())
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "bad"),
    [
        ("550 5.1.1 User unknown", True),
        ("550-5.1.1 The account that you tried to reach does not exist.\r\n550 5.1.1 See the help", True),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound", True),
        ("553 5.1.3 Bad recipient address syntax", True),
        ("556 5.1.10 Domain takes no mail", True),
        ("550 No such user here", True),
        ("550 Requested action not taken: mailbox unavailable", True),
        ("550 5.7.1 Relaying denied", False),
        ("550 5.7.515 Access denied, sending domain does not meet the required level", False),
        ("552 5.2.2 Mailbox full", False),
        ("550 5.2.1 Mailbox disabled", False),
        ("550 5.4.1 Recipient address rejected: Access denied", False),
        ("550 Mail from your address is blocked by our policy", False),
        ("550 Relay not permitted", False),
        ("550 Quota exceeded", False),
        ("554 Transaction failed", False),
    ],
)
def test_only_a_mailbox_that_is_not_there_is_called_bad(answer: str, bad: bool, sender: Sender) -> None:
    with (
        FaultSMTP(
            answers={"RCPT": answer.encode() + b"\r\n", "DATA": b"503 5.5.1 No recipients\r\n"}
        ) as server,
        override_settings(**server.settings),
    ):
        outcome = sender.send(a_message())
    assert (outcome.fate, outcome.address_is_bad) == (Fate.REJECTED, bad)


@pytest.mark.parametrize(
    ("answer", "fate", "bad"),
    [
        (
            b"550 5.1.1 No such user\r\n",
            Fate.REJECTED,
            True,
        ),  # some servers look the mailbox up after the body
        (b"550 No such user\r\n", Fate.REJECTED, False),  # without the code it may be about the content
        (b"552 5.3.4 Message too big\r\n", Fate.REJECTED, False),
        (b"251 taken, and forwarded\r\n", Fate.ACCEPTED, False),
        (b"354 what\r\n", Fate.UNKNOWN, False),
        (b"this is no SMTP\r\n", Fate.UNKNOWN, False),
        (b"250" + b" " * 9000 + b"\r\n", Fate.UNKNOWN, False),
    ],
)
def test_an_odd_answer_to_the_body_is_read_with_care(
    answer: bytes, fate: Fate, bad: bool, sender: Sender
) -> None:
    with FaultSMTP(answers={".": answer}) as server, override_settings(**server.settings):
        outcome = sender.send(a_message())
        assert (outcome.fate, outcome.address_is_bad) == (fate, bad)
        server.answers = {}
        assert sender.send(a_message()).fate is Fate.ACCEPTED


def test_a_server_that_asks_for_a_body_nobody_will_read_gets_none(sender: Sender) -> None:
    """RFC 2920 lets a pipelining server say 354 although it refused every recipient."""
    server = FaultSMTP(answers={"RCPT": b"550 5.1.1 Unknown\r\n", "DATA": b"354 go on\r\n"})
    with server, override_settings(**server.settings):
        began = time.monotonic()
        assert sender.send(a_message()).fate is Fate.REJECTED
        assert time.monotonic() - began < server.patience / 2
        server.answers = {}
        assert sender.send(a_message()).fate is Fate.ACCEPTED
    assert len(server.taken) == 1


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "one by one"])
def test_one_good_recipient_of_two_is_a_message_accepted(pipelining: bool, sender: Sender) -> None:
    server = FaultSMTP(pipelining=pipelining, answers={"bad@": b"550 5.1.1 Unknown\r\n"})
    with server, override_settings(**server.settings):
        message = a_message("bad@example.org")
        message.to.append("good@example.org")
        assert sender.send(message).fate is Fate.ACCEPTED
        assert sender.send(a_message("bad@example.org")).fate is Fate.REJECTED
    assert len(server.taken) == 1


def test_a_wrong_password_is_our_fault_and_no_readers(sender: Sender) -> None:
    with FaultSMTP(answers={"AUTH": b"535 5.7.8 Bad credentials\r\n"}) as server:
        login = {"EMAIL_HOST_USER": "paperboy", "EMAIL_HOST_PASSWORD": "wrong"}
        with override_settings(**{**server.settings, **login}):
            outcome = sender.send(a_message())
    assert outcome.fate is Fate.NOT_SENT
    assert "EMAIL_URL" in outcome.detail
    assert "535" in outcome.detail


def test_a_server_that_wants_a_login_at_mail_rejects_nobody(sender: Sender) -> None:
    server = FaultSMTP(answers={"MAIL": b"530 5.7.0 Authentication required\r\n"})
    with server, override_settings(**server.settings):
        assert sender.send(a_message()).fate is Fate.NOT_SENT


@pytest.mark.parametrize("security", ["EMAIL_USE_TLS", "EMAIL_USE_SSL"])
def test_a_server_without_tls_gets_no_message_in_the_clear(security: str, sender: Sender) -> None:
    with FaultSMTP() as server, override_settings(**{**server.settings, security: True}):
        assert sender.send(a_message()).fate is Fate.NOT_SENT
    assert server.taken == []


def test_an_outcome_names_no_address(sender: Sender) -> None:
    said = b"550 5.1.1 <a.reader@example.org>: Recipient address rejected: a.reader@example.org unknown\r\n"
    with FaultSMTP(answers={"RCPT": said}) as server, override_settings(**server.settings):
        outcome = sender.send(a_message())
    assert outcome.detail.startswith("550 5.1.1 <(address)>: Recipient address rejected: (address) unknown")
    assert len(outcome.detail) <= 200


def test_dots_at_the_start_of_lines_arrive_as_they_were_written(sender: Sender) -> None:
    with FaultSMTP() as server, override_settings(**server.settings):
        sender.send(a_message(text=".first\n..second\n.\nlast"))
    assert b"\r\n..first\r\n...second\r\n..\r\nlast" in server.taken[0]
