"""Mail over TLS, both ways of it, and nothing to a server that cannot show who it is."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from django.core.mail import EmailMessage
from django.test import override_settings

from subscribers.transport import Fate, Sender
from tests.sinks.smtp_sink import SmtpSink, free_port

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

#: A certificate for localhost and its key, made for these tests and of no use elsewhere.
CERTIFICATE = Path(__file__).parent.parent / "sinks" / "loopback.pem"
LOGIN = ("paperboy", "a password of the tests")


def may_enter(_server: object, _session: object, _envelope: object, _how: str, given: object) -> AuthResult:
    """Let in who knows the password."""
    assert isinstance(given, LoginPassword)
    return AuthResult(success=(given.login.decode(), given.password.decode()) == LOGIN, handled=False)


@pytest.fixture(params=["EMAIL_USE_TLS", "EMAIL_USE_SSL"], ids=["STARTTLS", "TLS from the first byte"])
def secure_sink(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    """A sink that takes mail over TLS from a client that logs in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    tls: dict[str, Any] = (
        {"ssl_context": context} if request.param == "EMAIL_USE_SSL" else {"tls_context": context}
    )
    sink = SmtpSink(port=free_port())
    wants: dict[str, Any] = {
        "auth_required": True,
        "authenticator": may_enter,
        "auth_require_tls": "tls_context" in tls,
    }
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, **tls, **wants)
    controller.start()
    login = {"EMAIL_HOST": "localhost", "EMAIL_HOST_USER": LOGIN[0], "EMAIL_HOST_PASSWORD": LOGIN[1]}
    with override_settings(**{**sink.settings, **login, request.param: True}):
        yield sink
    controller.stop()


def a_message() -> EmailMessage:
    """Return a plain message."""
    return EmailMessage("Daily Papers", "A text.", "papers@paperboy.example", ["reader@example.org"])


def test_mail_goes_over_tls_with_a_login(secure_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    sender = Sender()
    assert [sender.send(a_message()).fate for _ in range(2)] == [Fate.ACCEPTED, Fate.ACCEPTED]
    sender.close()
    assert len(secure_sink.received) == 2


def test_a_server_nobody_vouches_for_gets_nothing(secure_sink: SmtpSink) -> None:
    outcome = Sender().send(a_message())
    assert outcome.fate is Fate.NOT_SENT
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.detail
    assert secure_sink.received == []


def test_a_wrong_password_over_tls_is_told(secure_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with override_settings(EMAIL_HOST_PASSWORD="wrong"):
        outcome = Sender().send(a_message())
    assert outcome.fate is Fate.NOT_SENT
    assert outcome.detail.startswith("check the user name and password of EMAIL_URL: 535")
    assert secure_sink.received == []
