"""SMTP that remembers how far a message got on the wire.

`smtplib` raises the same SMTPServerDisconnected whether the far side never saw the message or holds all of
it. The stage recorded here tells the two apart. It also pipelines (RFC 2920) where the server offers it: two
round trips a message instead of four.
"""

import contextlib
import functools
import re
import smtplib
import socket
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

Reply = tuple[int, bytes]

#: Seconds a server gets to answer QUIT: every mail has its answer by then, so nobody should wait long.
QUIT_TIMEOUT = 5.0

#: An address that goes into a command as it stands: a dot-atom and a host name (RFC 5321 section 4.1.2).
_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+)*@[A-Za-z0-9.-]+")


class Stage(IntEnum):
    """How far the message in hand got. Below WRITTEN the server cannot have it, RFC 5321 section 4.1.1.4."""

    CONNECTING = 0  # no session: dialling, greeting, TLS, login
    READY = 1  # a session, and nothing of this message sent
    MAIL = 2  # the sender was offered
    RCPT = 3  # the sender was taken, the recipients were offered
    DATA = 4  # a recipient was taken, waiting for 354
    BODY = 5  # the body is being written; without its final dot it is no message
    WRITTEN = 6  # the final dot was handed over, no answer yet: nobody knows
    ANSWERED = 7  # the server said what it did


class _Recording(smtplib.SMTP):
    """The transaction of `smtplib`, with its stage kept and its commands pipelined."""

    stage = Stage.CONNECTING

    def connect(
        self,
        host: str = "localhost",
        port: int = 0,
        source_address: Any = None,  # noqa: ANN401 - as smtplib has it
    ) -> Reply:
        """Connect, and let no command wait in the kernel for the answer to the one before it."""
        greeting = super().connect(host, port, source_address)
        if self.sock is not None:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return greeting

    def quit(self) -> Reply:
        """Say goodbye, without waiting long for the answer."""
        if self.sock is not None:
            self.sock.settimeout(min(self.sock.gettimeout() or QUIT_TIMEOUT, QUIT_TIMEOUT))
        return super().quit()

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: Any,  # noqa: ANN401 - smtplib takes any buffer
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> dict[str, Reply]:
        """Send `msg` (bytes with CRLF line ends) and return the recipients refused while others were taken.

        Raises what `smtplib` raises, and ValueError before the first byte for an address that cannot be
        written in a command. A 2xx answer to the final dot is an acceptance, whatever its last two digits.
        """
        self.stage = Stage.READY
        self.ehlo_or_helo_if_needed()
        body = msg.encode("ascii") if isinstance(msg, str) else bytes(msg)
        recipients = [to_addrs] if isinstance(to_addrs, str) else list(to_addrs)
        commands = [
            _command("MAIL FROM:", from_addr, [*self._mail_options(body), *mail_options]),
            *(_command("RCPT TO:", recipient, rcpt_options) for recipient in recipients),
            b"DATA\r\n",
        ]
        self.stage = Stage.MAIL
        answers = self._dialogue(commands)
        code, text = next(answers)
        if code != 250:
            self._withdraw(code, answers)
            raise smtplib.SMTPSenderRefused(code, text, from_addr)
        refused = self._offer(recipients, answers)
        self.stage = Stage.DATA
        code, text = next(answers)
        if code != 354:
            self._withdraw(code, answers)
            raise smtplib.SMTPDataError(code, text)
        self._write(body)
        return refused

    def _mail_options(self, body: bytes) -> list[str]:
        """Return MAIL's parameters: the size (RFC 1870), and that there are 8-bit lines (RFC 6152)."""
        options = [f"SIZE={len(body)}"] if self.has_extn("size") else []
        if self.has_extn("8bitmime") and not body.isascii():
            options.append("BODY=8BITMIME")
        return options

    def _dialogue(self, commands: Sequence[bytes]) -> Iterator[Reply]:
        """Yield the answer to each command; with PIPELINING they are all sent in one piece first."""
        together = self.has_extn("pipelining")
        if together:
            self.send(b"".join(commands))
        for command in commands:
            if not together:
                self.send(command)
            yield self.getreply()

    def _offer(self, recipients: Sequence[str], answers: Iterator[Reply]) -> dict[str, Reply]:
        """Return the recipients the server refused; raise SMTPRecipientsRefused when it took none."""
        self.stage = Stage.RCPT
        refused: dict[str, Reply] = {}
        for recipient in recipients:
            code, text = next(answers)
            if not 250 <= code <= 252:
                refused[recipient] = (code, text)
            if code == 421:
                break
        if code == 421 or len(refused) == len(recipients):
            self._withdraw(code, answers)
            raise smtplib.SMTPRecipientsRefused(refused)
        return refused

    def _write(self, body: bytes) -> None:
        """Write the body and read the answer; raise SMTPDataError when it is a refusal."""
        self.stage = Stage.BODY
        # Each line's first dot is doubled, RFC 5321 section 4.5.2.
        stuffed = (b"." if body.startswith(b".") else b"") + body.replace(b"\n.", b"\n..")
        self.send(stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"))
        self.stage = Stage.WRITTEN
        code, text = self.getreply()
        if not 200 <= code <= 599:
            self.close()  # not SMTP: what the server did stays unknown, and so does where it stands
            raise smtplib.SMTPServerDisconnected("The answer to the message was not SMTP")
        self.stage = Stage.ANSWERED
        if code >= 300:
            self._withdraw(code, iter(()))
            raise smtplib.SMTPDataError(code, text)

    def _withdraw(self, code: int, answers: Iterator[Reply]) -> None:
        """Bring the session back to its start after a refusal, or close it where that is not certain.

        Never raises: the refusal that was read stays the verdict.
        """
        # 421: the server is closing (RFC 5321 section 3.8). No code at all: it is no server.
        if code == 421 or not 200 <= code <= 599:
            self.close()
            return
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if self.has_extn("pipelining"):
                for late, _ in answers:
                    if late == 354:  # it waits for a body that will not come
                        self.close()
                        return
            if self.rset()[0] == 250:
                return
        self.close()


class _RecordingOverTLS(_Recording, smtplib.SMTP_SSL):
    """The same over TLS from the first byte, RFC 8314."""


class EmailBackend(smtp.EmailBackend):
    """Django's SMTP backend (same settings, STARTTLS and TLS) that can say how far a message got."""

    @property
    def connection_class(self) -> type[smtplib.SMTP_SSL | smtplib.SMTP]:
        """The class Django dials with."""
        return _RecordingOverTLS if self.use_ssl else _Recording

    @property
    def stage(self) -> Stage:
        """How far the last message got; CONNECTING while there is no session."""
        return self.connection.stage if isinstance(self.connection, _Recording) else Stage.CONNECTING

    def open(self) -> bool | None:
        """Open a session unless there is one; one that lost its socket after a refusal is dialled again."""
        if self.connection is not None and self.connection.sock is None:
            self.connection = None
        return super().open()

    def _send(self, email_message: EmailMessage) -> bool:
        """Send one message as Django does, with a quick look at addresses that need no more than that.

        The stage of the message before is forgotten first: a message that cannot be written has not left.
        """
        if not isinstance(self.connection, _Recording):
            raise smtplib.SMTPServerDisconnected("there is no session")
        self.connection.stage = Stage.READY
        recipients = email_message.recipients()
        if not recipients:
            return False
        encoding = email_message.encoding or settings.DEFAULT_CHARSET
        from_email = _sanitized(str(email_message.from_email), str(encoding))
        to = [each if _PLAIN.fullmatch(each) else sanitize_address(each, encoding) for each in recipients]
        body = email_message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # stubs of Django 6
        self.connection.sendmail(from_email, to, body)
        return True


@functools.lru_cache(maxsize=8)
def _sanitized(address: str, encoding: str) -> str:
    """Return the sender's bare address; a newsletter has one sender, and taking it apart is slow."""
    return smtplib.quoteaddr(sanitize_address(address, encoding)).strip("<>")


def _command(verb: str, address: str, options: Sequence[str]) -> bytes:
    """Return one command line; raise ValueError when `address` cannot stand in it."""
    path = f"<{address}>" if _PLAIN.fullmatch(address) else smtplib.quoteaddr(address)
    line = " ".join([verb + path, *options])
    if not line.isprintable():
        raise ValueError("the address holds a control character")
    if "<=?" in line:  # Django encodes a name outside ASCII as it does a subject, which makes another mailbox
        raise ValueError("the address needs SMTPUTF8, which is not spoken here")
    return line.encode("ascii") + b"\r\n"
