"""How each provider wants a message said, and how it answers."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.utils import getaddresses
from typing import Any
from urllib.parse import parse_qs

KEY = "a-secret-of-the-tests"


@dataclass(frozen=True)
class Mail:
    """A message in no provider's words."""

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    metadata: Mapping[str, Any]
    tags: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """Return a header of the mail, whatever its case; empty when it is missing."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class Dialect:
    """One provider: where it listens, who may speak, what it reads and says."""

    path: re.Pattern[str]
    settings: Mapping[str, str]
    credentials: tuple[str, str]
    read: Callable[[Mapping[str, str], bytes], Mail]
    success: Callable[[Mail, str], tuple[int, dict[str, Any]]]
    refusal: Callable[[Mail], tuple[int, dict[str, Any]]] = field(
        default=lambda mail: (400, {"message": f"{mail.to[0]} is not a valid address"})
    )

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the request carries the key where this provider wants it."""
        name, value = self.credentials
        return next((given for key, given in headers.items() if key.lower() == name.lower()), "") == value


def missing(mail: Mail) -> list[str]:
    """Return what every provider refuses a message for."""
    wanted = {"sender": mail.sender, "recipient": mail.to, "subject": mail.subject, "text": mail.text}
    return [f"{name} is missing" for name, value in wanted.items() if not value]


def broken_bulk_rules(mail: Mail) -> list[str]:
    """Return the rules of bulk mail this message breaks: RFC 8058, one reader, two bodies, our delivery."""
    unsubscribe = mail.header("List-Unsubscribe")
    rules = {
        "a digest has one reader": len(mail.to) == 1,
        "the HTML is missing": bool(mail.html),
        "List-Unsubscribe holds no https address": bool(re.search(r"<https?://[^>\s]+>", unsubscribe)),
        "List-Unsubscribe-Post is wrong": mail.header("List-Unsubscribe-Post")
        == "List-Unsubscribe=One-Click",
        "the metadata names no delivery": bool(mail.metadata.get("delivery")),
        "there is no tag": bool(mail.tags),
        "the idempotency key leaked into the mail": not mail.header("Idempotency-Key"),
    }
    return [sentence for sentence, kept in rules.items() if not kept]


def _addresses(values: list[str]) -> tuple[str, ...]:
    return tuple(address for _, address in getaddresses(values))


def _read_postmark(_: Mapping[str, str], body: bytes) -> Mail:
    data = json.loads(body)
    return Mail(
        sender=data.get("From", ""),
        to=_addresses([data.get("To", "")]) if data.get("To") else (),
        subject=data.get("Subject", ""),
        text=data.get("TextBody", ""),
        html=data.get("HtmlBody", ""),
        headers={each["Name"]: each["Value"] for each in data.get("Headers", [])},
        metadata=data.get("Metadata", {}),
        tags=(data["Tag"],) if data.get("Tag") else (),
    )


def _form(headers: Mapping[str, str], body: bytes) -> dict[str, list[str]]:
    """Return the fields of an urlencoded or multipart form (RFC 7578)."""
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if not kind.startswith("multipart/"):
        return parse_qs(body.decode(), keep_blank_values=True)
    fields: dict[str, list[str]] = {}
    for part in message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).walk():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            fields.setdefault(name, []).append(payload.decode())
    return fields


def _read_mailgun(headers: Mapping[str, str], body: bytes) -> Mail:
    form = _form(headers, body)
    one = {name: values[0] for name, values in form.items()}
    return Mail(
        sender=one.get("from", ""),
        to=_addresses(form.get("to", [])),
        subject=one.get("subject", ""),
        text=one.get("text", ""),
        html=one.get("html", ""),
        headers={name[2:]: value for name, value in one.items() if name.startswith("h:")},
        metadata={name[2:]: value for name, value in one.items() if name.startswith("v:")},
        tags=tuple(form.get("o:tag", [])),
    )


def _read_resend(_: Mapping[str, str], body: bytes) -> Mail:
    data = json.loads(body)
    headers = data.get("headers", {})
    return Mail(
        sender=data.get("from", ""),
        to=_addresses(data.get("to", [])),
        subject=data.get("subject", ""),
        text=data.get("text", ""),
        html=data.get("html", ""),
        headers=headers,
        metadata=json.loads(headers.get("X-Metadata", "{}")),
        tags=tuple(json.loads(headers.get("X-Tags", "[]"))),
    )


def _read_brevo(_: Mapping[str, str], body: bytes) -> Mail:
    data = json.loads(body)
    headers = data.get("headers", {})
    return Mail(
        sender=data.get("sender", {}).get("email", ""),
        to=tuple(each["email"] for each in data.get("to", [])),
        subject=data.get("subject", ""),
        text=data.get("textContent", ""),
        html=data.get("htmlContent", ""),
        headers=headers,
        metadata=json.loads(headers.get("X-Mailin-custom", "{}")),
        tags=tuple(data.get("tags", [])),
    )


def _postmark_success(mail: Mail, name: str) -> tuple[int, dict[str, Any]]:
    return 200, {"To": mail.to[0], "MessageID": name, "ErrorCode": 0, "Message": "OK"}


def _postmark_refusal(mail: Mail) -> tuple[int, dict[str, Any]]:
    sentences = (
        "You tried to send to a recipient that has been marked as inactive.",
        f"Found inactive addresses: {mail.to[0]}.",
        "Inactive recipients are ones that have generated a hard bounce or a spam complaint.",
    )
    return 422, {"ErrorCode": 406, "Message": "\n".join(sentences)}


DIALECTS = {
    "postmark": Dialect(
        path=re.compile("/email"),
        settings={"POSTMARK_SERVER_TOKEN": KEY, "POSTMARK_API_URL": "http://127.0.0.1:{port}/"},
        credentials=("X-Postmark-Server-Token", KEY),
        read=_read_postmark,
        success=_postmark_success,
        refusal=_postmark_refusal,
    ),
    "mailgun": Dialect(
        path=re.compile(r"/v3/[a-z.]+/messages"),
        settings={"MAILGUN_API_KEY": KEY, "MAILGUN_API_URL": "http://127.0.0.1:{port}/v3"},
        credentials=("Authorization", "Basic " + b64encode(f"api:{KEY}".encode()).decode()),
        read=_read_mailgun,
        success=lambda _, name: (200, {"id": f"<{name}@mailgun.example>", "message": "Queued. Thank you."}),
    ),
    "resend": Dialect(
        path=re.compile("/emails"),
        settings={"RESEND_API_KEY": KEY, "RESEND_API_URL": "http://127.0.0.1:{port}/"},
        credentials=("Authorization", f"Bearer {KEY}"),
        read=_read_resend,
        success=lambda _, name: (200, {"id": name}),
    ),
    "brevo": Dialect(
        path=re.compile("/v3/smtp/email"),
        settings={"BREVO_API_KEY": KEY, "BREVO_API_URL": "http://127.0.0.1:{port}/v3/"},
        credentials=("api-key", KEY),
        read=_read_brevo,
        success=lambda _, name: (201, {"messageId": f"<{name}@brevo.example>"}),
    ),
}
