"""Whether a post is the provider's own and of today: what Anymail does not look at.

Every post carries the WEBHOOK_SECRET, and Mailgun's its signature, which Anymail checks. Here come the age of
what is signed, the signatures of Resend (Svix) and Amazon SNS, and the topics that SNS may post for.
"""

import hashlib
import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog
from anymail.exceptions import AnymailWebhookValidationFailure
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.dateparse import parse_datetime

from digest.events import sns

log = structlog.get_logger(__name__)

#: No provider repeats a post for longer: Mailgun goes on for 8 hours, Svix dates each try anew.
OLDEST = timedelta(hours=24)
#: As all moments from 2001 to 2286 are written. Mailgun signs timestamp and token as one string: a captured
#: post that is cut elsewhere has a token, and so a name, of its own, but a moment far from today.
_SECONDS = re.compile(r"[0-9]{10}")


class NotNowError(Exception):
    """Whether the post is genuine, or what it asks for, cannot be settled now: it shall come again."""


def check(provider: str, request: HttpRequest, *, at: datetime) -> None:
    """Raise AnymailWebhookValidationFailure unless `provider` made this post within 24 hours of `at`.

    Raises NotNowError where the provider's certificate cannot be had. Postmark, Brevo and others sign
    nothing: there the secret is the proof, and an event posted again is known by its name.
    """
    look = _CHECKS.get(provider)
    if look is not None:
        look(request, at)


@contextmanager
def confirming(request: HttpRequest) -> Iterator[None]:
    """Let SNS ask again where confirming a subscription, which Anymail does by AWS's own client, fails."""
    try:
        yield
    except Exception as error:
        if request.headers.get("X-Amz-Sns-Message-Type") == "SubscriptionConfirmation":
            raise NotNowError(type(error).__name__) from error
        raise


def _refuse(why: str) -> AnymailWebhookValidationFailure:
    return AnymailWebhookValidationFailure(why)


def _is_fresh(moment: datetime | None, at: datetime) -> bool:
    return moment is not None and abs(at - moment) <= OLDEST


def _seconds(text: object) -> datetime | None:
    """Return the moment of a signed timestamp, None for one that no provider writes."""
    found = _SECONDS.fullmatch(str(text))
    return datetime.fromtimestamp(int(found[0]), UTC) if found else None


def _mailgun(request: HttpRequest, at: datetime) -> None:
    """Look at the age of the signature, which Anymail has verified."""
    if request.content_type == "application/json":
        said = json.loads(request.body)["signature"]["timestamp"]
    else:
        said = request.POST["timestamp"]
    if not _is_fresh(_seconds(said), at):
        raise _refuse("signed too long ago")


def _svix(request: HttpRequest, at: datetime) -> None:
    """Verify Resend's signature, where its secret is set (docs.svix.com, "Verifying webhooks manually").

    `svix-signature` may hold several, "v1,<base64>" each, while a secret is being changed.
    """
    secret = settings.RESEND_SIGNING_SECRET
    if not secret:
        return
    named = [request.headers.get(f"svix-{part}", "") for part in ("id", "timestamp")]
    signed = ".".join(named).encode() + b"." + request.body
    mac = hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
    expected = "v1," + b64encode(mac).decode()
    given = request.headers.get("svix-signature", "").split(" ")
    if not any(constant_time_compare(one, expected) for one in given):
        raise _refuse("wrong signature")
    if not _is_fresh(_seconds(named[1]), at):
        raise _refuse("signed too long ago")


def _sns(request: HttpRequest, at: datetime) -> None:
    message = json.loads(request.body)
    if message.get("TopicArn") not in settings.SES_TOPIC_ARNS:
        raise _refuse("a topic that is not ours")
    try:
        sns.verify(message)
    except sns.UnreachableError as error:
        raise NotNowError(str(error)) from error
    except sns.ForgedError as error:
        raise _refuse(str(error)) from error
    if not _is_fresh(_moment(message["Timestamp"]), at):
        raise _refuse("signed too long ago")


def _moment(text: str) -> datetime | None:
    found = parse_datetime(text)
    return found.replace(tzinfo=found.tzinfo or UTC) if found else None


_CHECKS: Mapping[str, Callable[[HttpRequest, datetime], None]] = {
    "mailgun": _mailgun,
    "resend": _svix,
    "amazon_ses": _sns,
}
