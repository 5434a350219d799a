"""Connect, send, class the outcome: one door for the outbox and the digests, over SMTP and every provider."""

import contextlib
import smtplib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import requests
import structlog
from anymail.backends.base import AnymailBaseBackend
from anymail.message import AnymailStatus
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from subscribers import stopping, wire
from subscribers.outcomes import Fate, Outcome, Slower, classed, told
from subscribers.pace import Pacer
from subscribers.resend import EmailBackend as ResendBackend
from subscribers.smtp import EmailBackend as SMTPBackend
from subscribers.smtp import Stage

__all__ = ["Fate", "Interrupted", "Outcome", "Sender", "Senders", "domain_of"]

log = structlog.get_logger(__name__)

#: A connection is renewed after this many messages, and after this many idle seconds: relays limit both.
MESSAGES_PER_CONNECTION = 1000
IDLE_SECONDS = 60.0

#: Seconds before a message of unknown fate is offered again to a provider that knows it by its key, and the
#: seconds after which it is not: a worker that is told to stop waits for what it has begun.
OFFERED_AGAIN_AFTER = (0.5, 2.0)
LONGEST_AGAIN = 15.0

Connect = Callable[[], BaseEmailBackend]


class Sender:
    """One connection of Django's mail API, opened when needed and reused. Not for two threads at once."""

    def __init__(self, connect: Connect = get_connection, pacer: Pacer | None = None) -> None:
        self._connect = connect
        self._pacer = pacer
        self._backend: BaseEmailBackend | None = None
        self._sent = 0
        self._last_used = 0.0
        #: Whether the message in hand, offered twice, is still one mail.
        self._known_again = False

    def send(self, message: EmailMessage) -> Outcome:
        """Send `message` and return what became of it; no fault of the wire or the message is raised.

        A connection the server had closed while it lay idle is dialled again, once, within the same call:
        nothing of the message was written then. While the far side asks us to wait, nothing is offered to it.
        """
        if self._pacer is None:
            return self._send(message)
        if (wait := self._pacer.held()) > 0:
            return Outcome(Fate.NOT_SENT, "the provider asks to wait", retry_after=wait, offered=False)
        outcome = self._send(message)
        self._pacer.heard(outcome, domain_of(message))
        return outcome

    def _send(self, message: EmailMessage) -> Outcome:
        if self._sent >= MESSAGES_PER_CONNECTION or time.monotonic() - self._last_used > IDLE_SECONDS:
            self.close()
        began, reused = time.monotonic(), self._backend is not None
        outcome, stale = self._attempt(message)
        if reused and stale:
            outcome, _ = self._attempt(message)
        if outcome.fate is Fate.UNKNOWN:
            outcome = self._settled(message, outcome, since=began)
        self._last_used = time.monotonic()
        return outcome

    def _settled(self, message: EmailMessage, unknown: Outcome, *, since: float) -> Outcome:
        """Offer the same bytes under the same key again, where that is one mail still; else it stays unknown.

        Only a yes counts: whatever else is answered now says nothing of the first try.
        """
        if not self._known_again:
            return unknown
        for wait in OFFERED_AGAIN_AFTER:
            if time.monotonic() - since > LONGEST_AGAIN:
                break
            time.sleep(wait)
            outcome, _ = self._attempt(message)
            if outcome.fate is Fate.ACCEPTED:
                return outcome
        return unknown

    def close(self) -> None:
        """Close the connection; a fault while closing changes no outcome."""
        backend, self._backend, self._sent = self._backend, None, 0
        if backend is not None:
            with contextlib.suppress(Exception):
                backend.close()

    def _attempt(self, message: EmailMessage) -> tuple[Outcome, bool]:
        """Return the outcome of one try, and whether it found the connection closed before it began."""
        try:
            backend = self._open()
        except Exception as error:  # noqa: BLE001 - whatever it was, no message has been offered yet
            self.close()
            return _unreachable(error), False
        self._sent += 1
        self._known_again = isinstance(backend, ResendBackend) and backend.knows_again(message)
        wire.forget()
        vars(message).pop("anymail_status", None)  # the word on an earlier try is no word on this one
        try:
            taken = backend.send_messages([message])
        except Exception as error:  # noqa: BLE001 - a fault without a verdict would lose this message's fate
            outcome = _verdict(error, backend, message)
            stale = _is_stale(error, backend)
        else:
            outcome, stale = _success(taken, message), False
        if stale or outcome.fate in {Fate.NOT_SENT, Fate.UNKNOWN}:
            self.close()
        return outcome, stale

    def _open(self) -> BaseEmailBackend:
        """Return the open connection; dialling it is not part of any message."""
        if self._backend is None:
            self._backend = self._connect()
            self._backend.fail_silently = False
        if self._backend.open():
            session = getattr(self._backend, "session", None)
            if isinstance(session, requests.Session):
                wire.watch(session)
        return self._backend


class Interrupted(BaseException):
    """Sending was interrupted; `outcomes` says what became of each message all the same."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__("interrupted while sending")
        self.outcomes = outcomes


class Senders:
    """Threads that each own one Sender, for as many `send_all` as come. They never touch the database."""

    def __init__(
        self, connect: Connect = get_connection, *, threads: int | None = None, pacer: Pacer | None = None
    ) -> None:
        self._connect = connect
        self._pacer = pacer
        self._mine = threading.local()
        self._all: list[Sender] = []
        self._pool = ThreadPoolExecutor(
            max_workers=threads or settings.SENDERS, thread_name_prefix="sender", initializer=self._begin
        )

    def submit(self, message: EmailMessage) -> "Future[Outcome]":
        """Send `message` as soon as a thread is free; the future never raises."""
        return self._pool.submit(self._send, message)

    def send_all(self, messages: Sequence[EmailMessage]) -> list[Outcome]:
        """Send `messages` and return their outcomes in the same order.

        When the caller is interrupted (KeyboardInterrupt, a task's time limit), what no thread has begun
        yet is not sent any more, what has begun is waited for, and `Interrupted` carries what became of each.
        """
        futures = [self.submit(message) for message in messages]
        try:
            return [future.result() for future in futures]
        except BaseException as interruption:
            unsent = Outcome(Fate.NOT_SENT, "interrupted before it was begun")
            withdrawn = [future.cancel() for future in futures]  # all of them, before any is waited for
            outcomes = [
                unsent if gone else future.result() for gone, future in zip(withdrawn, futures, strict=True)
            ]
            raise Interrupted(outcomes) from interruption

    def close(self) -> None:
        """Wait for what is being sent and close every connection."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for sender in self._all:
            sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        """Give the new thread its Sender."""
        self._mine.sender = Sender(self._connect, self._pacer)
        self._all.append(self._mine.sender)

    def _send(self, message: EmailMessage) -> Outcome:
        """Send in this thread; a crash of our own code leaves this message's fate unknown, and no other's.

        In a process that was told to stop, what is not on the wire yet goes on no wire.
        """
        if stopping.told():
            return Outcome(Fate.NOT_SENT, "its worker was stopped before it was begun")
        sender: Sender = self._mine.sender
        try:
            return sender.send(message)
        except Exception as error:  # noqa: BLE001 - the other messages must not be lost with this one
            log.error("sender_crashed", error=told(f"{type(error).__name__}: {error}"))  # noqa: TRY400 - no traceback: it may hold an address
            sender.close()
            return Outcome(Fate.UNKNOWN, told(f"{type(error).__name__}: {error}"))


def domain_of(message: EmailMessage) -> str:
    """Return the domain that `message` goes to."""
    return str(message.to[0]).rpartition("@")[2].rstrip(">") if message.to else ""


def _unreachable(error: Exception) -> Outcome:
    """Return the outcome when there was no connection to send on."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        said = (
            error.smtp_error.decode("utf-8", "replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        return Outcome(
            Fate.NOT_SENT, told(f"check the user name and password of EMAIL_URL: {error.smtp_code} {said}")
        )
    slower = isinstance(error, smtplib.SMTPConnectError) and error.smtp_code == 421
    return Outcome(
        Fate.NOT_SENT,
        told(f"no connection: {type(error).__name__}: {error}"),
        slower=Slower.PROVIDER if slower else None,
    )


def _verdict(error: Exception, backend: BaseEmailBackend, message: EmailMessage) -> Outcome:
    """Class `error` by what `backend` recorded of this message."""
    taken: bool | None = None
    if isinstance(backend, SMTPBackend):
        taken = backend.stage >= Stage.WRITTEN
    elif isinstance(getattr(backend, "session", None), requests.Session):
        taken = wire.begun()
    if isinstance(backend, AnymailBaseBackend) and _statuses(message) & {"sent", "queued"}:
        return _success(1, message)  # a signal's receiver failed after the provider had taken it
    return classed(error, taken=taken)


def _is_stale(error: Exception, backend: BaseEmailBackend) -> bool:
    """Tell whether the server had closed the session before MAIL got an answer (421: it says so first)."""
    if not isinstance(backend, SMTPBackend) or backend.stage > Stage.MAIL:
        return False
    gone = isinstance(error, smtplib.SMTPServerDisconnected)
    return gone or (isinstance(error, smtplib.SMTPSenderRefused) and error.smtp_code == 421)


def _success(taken: int | None, message: EmailMessage) -> Outcome:
    """Return the outcome of a send without a fault: `taken` messages, and what the provider said of each."""
    if not taken:
        return Outcome(Fate.REJECTED, "this message has no recipient, or a signal cancelled it")
    status: AnymailStatus | None = getattr(message, "anymail_status", None)
    if status is None:
        return Outcome(Fate.ACCEPTED)
    if _statuses(message) == {"failed"}:
        return Outcome(Fate.DEFERRED, "the provider says its attempt to send failed")
    said = [each.status for each in status.recipients.values()]
    refused = sum(each in {"invalid", "rejected", "failed"} for each in said)
    detail = f"{refused} of {len(said)} recipients refused" if refused else ""
    ids = status.message_id if isinstance(status.message_id, set) else {status.message_id}
    return Outcome(Fate.ACCEPTED, detail, provider_id=min((each for each in ids if each), default=""))


def _statuses(message: EmailMessage) -> set[str]:
    """Return what the provider said of the recipients; empty for SMTP."""
    return set(getattr(getattr(message, "anymail_status", None), "status", None) or ())
