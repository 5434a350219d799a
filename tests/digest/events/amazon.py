"""Amazon on loopback: SNS signs what SES tells, its certificate lies on its own host, subscriptions start.

The fakes are on the wire alone: SNS's host names lead here, and an authority of the tests vouches for them.
"""

import base64
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from digest.events import sns
from tests.cast import NOON
from tests.digest.events.posts import GONE, POLICY, Post, basic

HOST = "sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"https://{HOST}/SimpleNotificationService-0123abcd.pem"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:paperboy"
_PEM = serialization.Encoding.PEM


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _vouched(
    subject: str,
    key: rsa.RSAPrivateKey,
    issuer: str,
    by: rsa.RSAPrivateKey,
    *,
    days: int = 30,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(by, hashes.SHA256())
    )


class Amazon:
    """SNS: `signed` messages, the certificate behind CERTIFICATE, and what was `asked` of it."""

    def __init__(self, folder: Path) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.asked: list[str] = []
        self.status = 200
        self.days = 30
        self.certificate = b""
        authority = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (folder / "authority.pem").write_bytes(
            _vouched("tests", authority, "tests", authority, authority=True).public_bytes(_PEM)
        )
        web = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (folder / "web.pem").write_bytes(
            web.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + _vouched(HOST, web, "tests", authority).public_bytes(_PEM)
        )
        self.folder = folder
        self.present()

    def present(self, key: rsa.RSAPrivateKey | None = None, *, days: int = 30) -> None:
        """Put the certificate of `key` where messages say it is, valid for so many days more."""
        key = key or self.key
        self.certificate = _vouched("sns.amazonaws.com", key, "sns", key, days=days).public_bytes(_PEM)
        sns._kept.clear()

    def signed(self, message: dict[str, Any], version: str = "1") -> Post:
        """Return the post of `message` as SNS signs it, by an implementation of the tests' own."""
        said = {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE,
            **message,
        }
        fields = sorted({*said} - {"SignatureVersion", "SigningCertURL", "UnsubscribeURL"})
        text = "".join(f"{name}\n{said[name]}\n" for name in fields)
        algorithm = hashes.SHA1() if said["SignatureVersion"] == "1" else hashes.SHA256()
        said["Signature"] = base64.b64encode(
            self.key.sign(text.encode(), padding.PKCS1v15(), algorithm)
        ).decode()
        return posted(said)

    def told(self, what: str, named: dict[str, str], to: str, at: datetime = NOON, **sns: Any) -> Post:
        """Return SES's word that `what` happened, by way of SNS."""
        mail = {
            "messageId": "0100018",
            "destination": [to],
            "headers": [{"name": "X-Metadata", "value": json.dumps(named)}],
            "timestamp": at.isoformat(),
        }
        bounced = {"gone": ("Permanent", GONE), "policy": ("Permanent", POLICY), "full": ("Transient", "")}
        if what in bounced:
            kind, answer = bounced[what]
            recipients = [{"emailAddress": to, "diagnosticCode": f"smtp; {answer}"}]
            event = {
                "eventType": "Bounce",
                "bounce": {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": recipients},
            }
        elif what == "complained":
            event = {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": to}]}}
        else:
            event = {"eventType": "Delivery", "delivery": {"recipients": [to], "smtpResponse": "250 ok"}}
        return self.signed({"Message": json.dumps({**event, "mail": mail}), **sns})

    @contextmanager
    def running(self, monkeypatch: pytest.MonkeyPatch) -> Iterator["Amazon"]:
        """Answer for SNS's hosts as long as the block lasts."""
        with _Server(self) as server:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.folder / "web.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
            thread.start()
            real, port = socket.getaddrinfo, server.server_port

            def led_here(host: Any, *arguments: Any, **named: Any) -> Any:
                if str(host).startswith("sns."):
                    return real("127.0.0.1", port, type=socket.SOCK_STREAM)
                return real(host, *arguments, **named)

            monkeypatch.setattr(socket, "getaddrinfo", led_here)
            monkeypatch.setenv("SSL_CERT_FILE", str(self.folder / "authority.pem"))
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()
                sns._kept.clear()


class _Server(ThreadingHTTPServer):
    def __init__(self, amazon: Amazon) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(amazon.certificate)

            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
                amazon.asked.append(asked)
                self._answer(
                    b"<ConfirmSubscriptionResponse><ConfirmSubscriptionResult><SubscriptionArn>a:b"
                    b"</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>"
                )

            def _answer(self, body: bytes) -> None:
                if self.command == "GET":
                    amazon.asked.append(self.path)
                self.send_response(amazon.status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are among what is tested."""


def posted(said: dict[str, Any]) -> Post:
    """Return the post that SNS makes of a message."""
    return Post(
        "amazon_ses",
        json.dumps(said).encode(),
        {
            "Authorization": basic(),
            "x-amz-sns-message-type": str(said["Type"]),
            "x-amz-sns-message-id": str(said["MessageId"]),
        },
    )
