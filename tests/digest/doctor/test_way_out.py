"""The mail server and the provider, as our workers meet them: real sockets, real TLS, nothing sent."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from django.test import override_settings
from django.utils import timezone

from digest.doctor import certificate, mail_server, provider
from digest.doctor.looking import Looking
from digest.doctor.names import Dns
from tests.digest.doctor.conftest import levels, the_wrong
from tests.digest.loopback import Asked, Loopback, Reply
from tests.sinks.fault_smtp import FaultSMTP
from tests.sinks.smtp_sink import SmtpSink, free_port

CERTIFICATE = Path(__file__).parents[2] / "sinks" / "loopback.pem"
PASSWORD = "a password of the tests"

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def looking() -> Looking:
    return Looking(Dns(5.0), 10.0, timezone.now())


def may_enter(_server: object, _session: object, _envelope: object, _how: str, given: object) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=given.password.decode() == PASSWORD, handled=False)


@pytest.fixture(params=["EMAIL_USE_TLS", "EMAIL_USE_SSL"], ids=["STARTTLS", "TLS from the first byte"])
def secure(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    at_once = request.param == "EMAIL_USE_SSL"
    tls: dict[str, Any] = {"ssl_context" if at_once else "tls_context": context}
    sink = SmtpSink(port=free_port())
    wants: dict[str, Any] = {"authenticator": may_enter, "auth_require_tls": not at_once}
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, **tls, **wants)
    controller.start()
    login = {"EMAIL_HOST": "localhost", "EMAIL_HOST_USER": "paperboy", "EMAIL_HOST_PASSWORD": PASSWORD}
    with override_settings(**{**sink.settings, **login, request.param: True}):
        yield sink
    controller.stop()


def test_a_server_with_tls_and_our_login_is_good(
    secure: SmtpSink, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    assert levels(mail_server.look(looking)) == ["good", "good"]
    assert secure.received == []


@pytest.mark.usefixtures("secure")
def test_a_wrong_password_is_told_and_not_repeated(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with override_settings(EMAIL_HOST_PASSWORD="wrong-and-secret"):
        finding = the_wrong(mail_server.look(looking))
    assert "refuses the login: 535" in finding.seen
    assert "wrong-and-secret" not in finding.seen + finding.cure


@pytest.mark.usefixtures("secure")
def test_a_certificate_that_nobody_signed_is_told(looking: Looking) -> None:
    assert "TLS with localhost" in the_wrong(mail_server.look(looking)).seen


def test_a_server_without_starttls_is_told(looking: Looking) -> None:
    with FaultSMTP() as server, override_settings(**{**server.settings, "EMAIL_USE_TLS": True}):
        assert "does not offer STARTTLS" in the_wrong(mail_server.look(looking)).seen


@pytest.mark.parametrize("mode", ["refused", "close before banner", "banner 421"])
def test_a_server_that_is_away_is_told(mode: str, looking: Looking) -> None:
    with FaultSMTP(mode) as server, override_settings(**server.settings):
        assert "cannot be used" in the_wrong(mail_server.look(looking)).seen


def test_a_server_that_says_nothing_costs_its_time_limit_only(looking: Looking) -> None:
    looking.timeout = 0.3
    with FaultSMTP(answers={"EHLO": b""}) as server, override_settings(**server.settings):
        assert levels(mail_server.look(looking)) == ["wrong"]


def test_a_certificate_is_told_of_before_it_ends() -> None:
    ends = {"notAfter": "Oct 30 15:44:04 2030 GMT"}
    at = datetime(2030, 10, 20, 12, tzinfo=UTC)
    assert certificate.lasting("it", ends, at).level == "good"
    assert certificate.lasting("it", ends, at + timedelta(days=1)).level == "wrong"


#: Where each provider is asked, and in which header the key stands.
CALLS = {
    "postmark": ("POSTMARK_SERVER_TOKEN", "/server", "x-postmark-server-token"),
    "mailgun": ("MAILGUN_API_KEY", "/domains", "authorization"),
    "resend": ("RESEND_API_KEY", "/domains", "authorization"),
    "brevo": ("BREVO_API_KEY", "/account", "api-key"),
}
KEY = "the-key-of-the-tests"


def asked_of(name: str, far_end: Loopback, looking: Looking) -> list[str]:
    anymail = {CALLS[name][0]: KEY, f"{name.upper()}_API_URL": far_end.url}
    with override_settings(ANYMAIL_PROVIDER=name, ANYMAIL=anymail):
        found = list(provider.look(looking))
    assert KEY not in str(found)
    return levels(iter(found))


@pytest.mark.parametrize("name", CALLS)
def test_a_provider_is_asked_whether_it_takes_the_key(name: str, far_end: Loopback, looking: Looking) -> None:
    def takes(asked: Asked) -> Reply:
        assert asked.path == CALLS[name][1]
        return Reply(b"{}" if asked.headers.get(CALLS[name][2]) else b"no", status=200)

    far_end.answer = takes
    assert asked_of(name, far_end, looking) == ["good"]
    far_end.answer = lambda _: Reply(f"bad key {KEY}".encode(), status=401)
    assert asked_of(name, far_end, looking) == ["wrong"]
    far_end.answer = lambda _: Reply(status=500)
    assert asked_of(name, far_end, looking) == ["could not look"]
    assert len(far_end.asked) == 3


def test_a_key_of_resend_that_may_only_send_is_good(far_end: Loopback, looking: Looking) -> None:
    far_end.answer = lambda _: Reply(b'{"name":"restricted_api_key"}', status=401)
    assert asked_of("resend", far_end, looking) == ["good"]


def test_a_provider_without_a_harmless_call_is_said_to_be_unseen(looking: Looking) -> None:
    with override_settings(ANYMAIL_PROVIDER="scaleway"):
        assert levels(provider.look(looking)) == ["could not look"]
