"""The site as others meet it: over TLS with a certificate, and Paperboy itself behind real sockets."""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from digest.doctor import website
from digest.doctor.finding import CouldNotLookError
from digest.doctor.looking import Looking
from digest.doctor.names import Dns
from subscribers.models import Subscriber
from tests.cast import a_reader
from tests.digest.doctor.conftest import levels, the_wrong
from tests.sinks.smtp_sink import free_port

CERTIFICATE = Path(__file__).parents[2] / "sinks" / "loopback.pem"
SECRET = "hook:0123456789abcdef0123"


@pytest.fixture
def looking() -> Looking:
    return Looking(Dns(5.0), 10.0, timezone.now())


@dataclass
class Front:
    """A proxy in front, as far as one answer goes."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    posts: list[str] = field(default_factory=list)


@pytest.fixture
def front(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """SITE_URL leads to a server with TLS whose certificate this machine trusts."""
    said = Front(headers={"Strict-Transport-Security": "max-age=1"})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(said.status)
            for name, value in {"Date": format_datetime(datetime.now(UTC)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def do_POST(self) -> None:
            said.posts.append(self.path)
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    settings.SITE_URL = f"https://localhost:{server.server_address[1]}"
    yield said
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("front")
def test_a_site_with_tls_hsts_and_the_right_time_is_good(looking: Looking) -> None:
    assert levels(website.look(looking)) == ["good"] * 4


@pytest.mark.usefixtures("front")
def test_a_certificate_that_browsers_refuse_is_told(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    found = list(website.look(looking))
    assert "TLS of localhost" in found[0].seen
    assert found[0].level == "wrong"


def test_what_the_front_spoils_is_told(front: Front, looking: Looking) -> None:
    front.headers.clear()
    assert levels(website.look(looking)) == ["good", "good", "advice", "good"]
    front.headers["Date"] = format_datetime(datetime.now(UTC) - timedelta(minutes=5))
    assert "differ by" in the_wrong(website.look(looking)).seen
    front.status, front.headers = 301, {"Location": "https://www.example.org/"}
    assert "a redirect" in the_wrong(website.look(looking)).seen


def test_one_click_that_is_redirected_is_told(front: Front, looking: Looking) -> None:
    front.status, front.headers = 308, {"Location": "/u/elsewhere"}
    assert "redirects (308)" in the_wrong(website.unsubscribing(looking)).seen
    assert front.posts[0].startswith("/u/")


def test_a_site_that_does_not_answer_is_told(settings: Settings, looking: Looking) -> None:
    settings.SITE_URL = f"http://127.0.0.1:{free_port()}"
    assert "did not answer" in the_wrong(website.look(looking)).seen
    with pytest.raises(CouldNotLookError):
        list(website.unsubscribing(looking))


@pytest.mark.django_db(transaction=True)
class TestPaperboyItself:
    """Against the real views, over real sockets."""

    @pytest.fixture(autouse=True)
    def _lives(self, live_server: LiveServer, settings: Settings) -> None:
        settings.SITE_URL = live_server.url

    @pytest.fixture(params=["postmark", "brevo", "mailgun"])
    def its_provider(self, request: pytest.FixtureRequest, settings: Settings) -> str:
        settings.ANYMAIL_PROVIDER = request.param
        settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET], "MAILGUN_API_KEY": "a-key-of-the-tests"}
        return str(request.param)

    def test_one_click_answers_and_unsubscribes_nobody(self, looking: Looking) -> None:
        a_reader()
        assert levels(website.unsubscribing(looking)) == ["good"]
        assert Subscriber.objects.get().status == Subscriber.Status.ACTIVE

    def test_the_webhook_refuses_strangers_and_lets_in_the_secret(
        self, its_provider: str, looking: Looking
    ) -> None:
        last = "could not look" if its_provider in website.SIGNING else "good"
        assert levels(website.webhook(looking)) == ["good", last]

    def test_a_webhook_that_the_web_process_does_not_have_is_told(
        self, settings: Settings, looking: Looking, front: Front
    ) -> None:
        settings.ANYMAIL_PROVIDER, settings.ANYMAIL = "postmark", {"WEBHOOK_SECRET": [SECRET]}
        for status in (404, 200):
            front.posts.clear()
            front.status = status
            assert f"a stranger {status}" in the_wrong(website.webhook(looking)).seen
            assert len(front.posts) == 1, "the secret went to whom strangers can post to"
        front.status = 401
        assert "does not take WEBHOOK_SECRET" in the_wrong(website.webhook(looking)).seen

    def testits_provider_without_a_secret_is_advised(self, settings: Settings, looking: Looking) -> None:
        settings.ANYMAIL_PROVIDER, settings.ANYMAIL = "postmark", {}
        assert levels(website.webhook(looking)) == ["advice"]
