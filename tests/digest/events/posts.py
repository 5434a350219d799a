"""What providers post, in their own shapes, and the way in."""

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.cast import NOON

SECRET = "hook:a-password-of-the-tests"
SIGNING_KEY = "a-signing-key-of-the-tests"
SVIX_SECRET = "whsec_" + b64encode(b"a-signing-secret-of-the-tests").decode()
KEYS = {"MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}
GONE = "550 5.1.1 The email account that you tried to reach does not exist"
POLICY = "550 5.7.1 Message rejected due to our policy"
FULL = "452 4.2.2 The mailbox is full"


def svix(one: "Post", seconds: int | str | None = None, secret: str = SVIX_SECRET, **headers: str) -> "Post":
    """Return Resend's post as Svix signs it: docs.svix.com, "Verifying webhooks manually"."""
    name, moment = one.headers["svix-id"], str(int(time.time()) if seconds is None else seconds)
    key = b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{name}.{moment}.".encode() + one.body, hashlib.sha256).digest()
    given = f"v1,{b64encode(b'another').decode()} v1,{b64encode(mac).decode()} v2,unknown"
    signed = {"svix-timestamp": moment, "svix-signature": given, **headers}
    return Post(one.provider, one.body, {**one.headers, **signed})


def mailgun_signed(one: "Post", moment: object, token: str) -> "Post":
    """Return Mailgun's post with a right signature of that moment and token."""
    said = json.loads(one.body)
    mac = hmac.new(SIGNING_KEY.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    said["signature"] = {"timestamp": moment, "token": token, "signature": mac}
    return Post("mailgun", json.dumps(said).encode())


def basic(secret: str = SECRET) -> str:
    return "Basic " + b64encode(secret.encode()).decode()


@dataclass(frozen=True)
class Post:
    """One post of a provider."""

    provider: str
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": basic()})

    @property
    def way(self) -> str:
        return f"/webhooks/{self.provider}/tracking/"


Told = Callable[..., Post]


def postmark(what: str, named: dict[str, str], to: str, at: datetime = NOON, serial: int = 1) -> Post:
    """Return Postmark's post that `what` happened to the mail with metadata `named`."""
    kinds: dict[str, dict[str, Any]] = {
        "delivered": {"RecordType": "Delivery", "Recipient": to, "DeliveredAt": at.isoformat()},
        "gone": {"RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "Details": f"smtp;{GONE}"},
        "policy": {"RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "Details": f"smtp;{POLICY}"},
        "full": {"RecordType": "Bounce", "Type": "SoftBounce", "TypeCode": 4096, "Details": f"smtp;{FULL}"},
        "complained": {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 512},
        "left": {
            "RecordType": "SubscriptionChange",
            "Recipient": to,
            "ChangedAt": at.isoformat(),
            "SuppressSending": True,
            "SuppressionReason": "ManualSuppression",
        },
        "opened": {"RecordType": "Open", "Recipient": to, "ReceivedAt": at.isoformat(), "FirstOpen": True},
    }
    said = {"MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Metadata": named, **kinds[what]}
    if said["RecordType"] in {"Bounce", "SpamComplaint"}:
        said |= {"ID": serial, "Email": to, "BouncedAt": at.isoformat(), "Description": "words for people"}
    return Post("postmark", json.dumps(said).encode())


def mailgun(what: str, named: dict[str, str], to: str, at: datetime = NOON, serial: int = 1) -> Post:
    """Return Mailgun's, signed."""
    kinds: dict[str, dict[str, Any]] = {
        "delivered": {"event": "delivered"},
        "gone": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "delivery-status": {"code": 550, "message": GONE},
        },
        "policy": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "delivery-status": {"code": 550, "message": POLICY},
        },
        "full": {
            "event": "failed",
            "severity": "permanent",
            "reason": "old",
            "delivery-status": {"code": 602, "message": FULL},
        },
        "complained": {"event": "complained"},
        "left": {"event": "unsubscribed"},
        "opened": {"event": "opened", "client-info": {"user-agent": "Invented/1"}},
    }
    # What it tells of may be old; it is posted, and signed, now.
    token, stamp = f"{serial:050}", str(int(time.time()))
    mac = hmac.new(SIGNING_KEY.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    data = {"recipient": to, "timestamp": at.timestamp(), "user-variables": named, **kinds[what]}
    said = {"signature": {"token": token, "timestamp": stamp, "signature": mac}, "event-data": data}
    return Post("mailgun", json.dumps(said).encode())


def resend(what: str, named: dict[str, str], to: str, at: datetime = NOON, serial: int = 1) -> Post:
    """Return Resend's, which says less than others and names each event in a header."""
    bounces = {
        "gone": {
            "type": "Permanent",
            "message": "The recipient's email provider sent a hard bounce message.",
        },
        "full": {"type": "Transient", "message": "bounce message because the recipient's inbox was full."},
        "policy": {"type": "Permanent", "message": "Resend has suppressed sending to this address."},
    }
    kinds = {
        **dict.fromkeys(bounces, "email.bounced"),
        "delivered": "email.delivered",
        "complained": "email.complained",
        "opened": "email.opened",
    }
    data: dict[str, Any] = {
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "to": [to],
        "headers": [{"name": "X-Metadata", "value": json.dumps(named)}],
    }
    if what in bounces:
        data["bounce"] = bounces[what]
    said = {"type": kinds[what], "created_at": at.isoformat().replace("+00:00", "Z"), "data": data}
    return Post(
        "resend", json.dumps(said).encode(), {"Authorization": basic(), "svix-id": f"msg_{what}{serial}"}
    )


def brevo(what: str, named: dict[str, str], to: str, at: datetime = NOON, serial: int = 1) -> Post:  # noqa: ARG001
    """Return Brevo's, whose events have no name."""
    kinds = {
        "delivered": ("delivered", ""),
        "gone": ("hard_bounce", GONE),
        "policy": ("hard_bounce", POLICY),
        "full": ("soft_bounce", "mailbox full"),
        "complained": ("spam", ""),
        "left": ("unsubscribe", ""),
        "opened": ("unique_opened", ""),
    }
    event, reason = kinds[what]
    said = {
        "event": event,
        "email": to,
        "ts_epoch": int(at.timestamp() * 1000),
        "message-id": "<202603041200.1@smtp-relay.mailin.fr>",
        "X-Mailin-custom": json.dumps(named),
        "reason": reason,
    }
    return Post("brevo", json.dumps(said).encode())


PROVIDERS: dict[str, Told] = {
    "postmark": postmark,
    "mailgun": mailgun,
    "resend": resend,
    "brevo": brevo,
}
