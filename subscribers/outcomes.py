"""What became of one message, and how a fault is classed: by what reached the wire, not by its name."""

import contextlib
import math
import re
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.errors import MessageError
from email.utils import parsedate_to_datetime
from enum import StrEnum

from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.core.exceptions import ImproperlyConfigured


class Fate(StrEnum):
    """What the caller may do next: only DEFERRED and NOT_SENT may ever be sent again."""

    ACCEPTED = "accepted"  # the far side took it
    DEFERRED = "deferred"  # a definite "not now"
    NOT_SENT = "not_sent"  # the far side cannot have it
    REJECTED = "rejected"  # a definite "never", or a message that cannot be written
    UNKNOWN = "unknown"  # it may be delivered or not: sending again could deliver it twice


class Slower(StrEnum):
    """Who asks us to be slower: the provider or server that takes our mail, or one mailbox provider."""

    PROVIDER = "provider"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of one message, and why.

    `detail`: at most 200 characters, no addresses. `provider_id`: the provider's name for the message.
    `retry_after`: seconds the far side asked us to wait. `address_is_bad`: the mailbox does not exist or the
    provider refuses it for good; never true for a refusal of content, policy or sender. `slower`: who asks us
    to be slower. `offered`: False when it was not tried at all, since somebody asks to wait. `refused`: the
    far side said no to this message for good, whatever for: a bounce, as when a provider tells of it later.
    """

    fate: Fate
    detail: str = ""
    provider_id: str = ""
    retry_after: float | None = None
    address_is_bad: bool = False
    slower: Slower | None = None
    offered: bool = True
    refused: bool = False


#: "There is no such mailbox", RFC 3463 section 3.2 and RFC 7505 (5.1.10, a domain that takes no mail).
NO_SUCH_MAILBOX = {"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}
_ENHANCED = re.compile(r"(?:^|[\s-])([245]\.\d{1,3}\.\d{1,3})(?=\s|$)", re.MULTILINE)
#: Words of a refusal that is about us or about today, not about the mailbox.
_POLICY = re.compile(
    r"\b(?:relay\w*|spam\w*|polic\w+|block\w*|black\s?list\w*|deny|denied|banned|reputation|auth\w*|spf|dkim|dmarc|"
    r"ip|dns\w*|ptr|helo|gr[ae]y\s?list\w*|rate|limit\w*|quota|full|storage|size|content|virus|permi\w+|allowed|"
    r"access|sender|from|disabled|inactive|suspended|tls|encrypt\w*|tempor\w+|try again|later)\b",
    re.IGNORECASE,
)
#: The server wants a login it did not get, RFC 4954: the same for every reader, so nobody is rejected for it.
_CREDENTIALS = {530, 534, 535, 538}
_ADDRESS = re.compile(r"""(?:"[^"\n]*"|[^\s<>"'(),:;=\[\]{}]+)(?:@|%40)[^\s<>"'(),:;=&\[\]{}]+""")
_UNWRITABLE = (
    AnymailInvalidAddress,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
    MessageError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
#: Faults of the AWS client that say nothing was sent, and refusals that mean "slower" (SES API v2, errors).
_AWS_NOT_SENT = {
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "NoCredentialsError",
    "ProxyConnectionError",
}
_AWS_THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "LimitExceededException"}
_AWS_STOPPED = {"AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException"}
#: A clock gone wrong at the provider must not hold a mail for a year.
_LONGEST_WAIT = 24 * 3600.0


def told(text: object) -> str:
    """Return `text` as a detail: one printable line of at most 200 characters, without addresses."""
    words = " ".join(str(text).split())
    return "".join(c for c in _ADDRESS.sub("(address)", words[:2000]) if c.isprintable())[:200]


def enhanced_code(said: str) -> str:
    """Return the enhanced status code in a server's answer (RFC 3463), or the empty string."""
    found = _ENHANCED.search(said)
    return found[1] if found else ""


def speaks_of_policy(said: str) -> bool:
    """Say whether a server's answer is about us or about today rather than about the mailbox."""
    return bool(_POLICY.search(said))


def classed(error: BaseException, *, taken: bool | None) -> Outcome:
    """Return the outcome of a send that ended with `error`.

    `taken`: False when the far side cannot have the message, True when it may have it, None when nothing
    kept a record (a file, or a provider without one).
    """
    answered = _answered(error)
    if answered is not None:
        return answered
    detail = told(f"{type(error).__name__}: {error}")
    if taken is not True and isinstance(error, _UNWRITABLE) and not isinstance(error, OSError):
        return Outcome(Fate.REJECTED, told(f"this message cannot be written: {detail}"))
    if taken is None and isinstance(error, AnymailAPIError):
        return _aws(error)
    never_left = taken is False or isinstance(error, ImproperlyConfigured) or type(error) is AnymailError
    # A file that could not be opened names itself.
    never_opened = taken is None and isinstance(error, OSError) and error.filename is not None
    return Outcome(Fate.NOT_SENT if never_left or never_opened else Fate.UNKNOWN, detail)


def _answered(error: BaseException) -> Outcome | None:
    """Return the outcome when `error` carries the far side's answer to this message, else None."""
    match error:
        case smtplib.SMTPRecipientsRefused() if error.recipients:
            # The last one: with several recipients it is the answer that ended the transaction.
            code, text = list(error.recipients.values())[-1]
            return _smtp(code, text, mailbox=True)
        case smtplib.SMTPSenderRefused():
            return _sender_refused(error)
        case smtplib.SMTPDataError():
            return _smtp(error.smtp_code, error.smtp_error, dot=True)
        case AnymailRecipientsRefused():
            return _refused(error)
        case AnymailAPIError() if error.status_code is not None:
            return http(int(error.status_code), getattr(error.response, "headers", {}), _body(error.response))
    return None


def _sender_refused(error: smtplib.SMTPSenderRefused) -> Outcome:
    """Return the outcome of a refused MAIL: the sender is the same for every reader, so none is rejected.

    But 552 speaks of this message's size (RFC 1870 section 6.3).
    """
    outcome = _smtp(error.smtp_code, error.smtp_error)
    if outcome.slower:  # of MAIL: it is us, whoever the reader is
        return replace(outcome, slower=Slower.PROVIDER)
    if outcome.fate is Fate.REJECTED and error.smtp_code != 552:
        return Outcome(Fate.NOT_SENT, told(f"check DEFAULT_FROM_EMAIL: {outcome.detail}"))
    return replace(outcome, refused=False)  # our message's fault, not the mailbox's word


def _smtp(code: int, text: bytes | str, *, mailbox: bool = False, dot: bool = False) -> Outcome:
    """Return the outcome of a refusal; `mailbox`: it answered RCPT, `dot`: it answered DATA or the body."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    detail = told(f"{code} {said}")
    if code in _CREDENTIALS:
        return Outcome(Fate.NOT_SENT, told(f"check the user name and password of EMAIL_URL: {detail}"))
    if 400 <= code <= 499:
        slower = Slower.DOMAIN if code == 421 or enhanced_code(said).startswith("4.7.") else None
        return Outcome(Fate.DEFERRED, detail, slower=slower)
    if not 500 <= code <= 599:  # no refusal at all; before the body it cannot have been taken
        return Outcome(Fate.UNKNOWN if dot else Fate.NOT_SENT, told(f"not an SMTP answer: {detail}"))
    enhanced = enhanced_code(said)
    if enhanced:
        bad = (mailbox or dot) and enhanced in NO_SUCH_MAILBOX
    else:
        bad = mailbox and code == 550 and not speaks_of_policy(said)
    return Outcome(Fate.REJECTED, detail, address_is_bad=bad, refused=True)


def http(status: int, headers: Mapping[str, str], body: str = "") -> Outcome:
    """Return the outcome of a provider's answer that was not a success Anymail understood.

    408 and 409 are UNKNOWN: a proxy may answer 408 after passing the request on, and 409 is how a repeated
    idempotency key is answered while, or after, an earlier request with it was taken.
    """
    detail = told(f"HTTP {status} {body}")
    asked = retry_after(headers.get("Retry-After", ""))
    if status == 429:
        return Outcome(Fate.DEFERRED, detail, retry_after=asked, slower=Slower.PROVIDER)
    if status in {401, 402, 403, 404, 405, 407}:  # the same for every reader: the account, not the message
        return Outcome(Fate.NOT_SENT, told(f"check the API key and the provider's account: {detail}"))
    if 400 <= status <= 499 and status not in {408, 409}:
        return Outcome(Fate.REJECTED, detail)
    # 2xx that could not be read was most likely taken; 3xx and 5xx may come from a proxy after the fact.
    slower = Slower.PROVIDER if status == 503 and asked is not None else None
    return Outcome(Fate.UNKNOWN, detail, retry_after=asked if slower else None, slower=slower)


def retry_after(value: str) -> float | None:
    """Return the seconds a Retry-After header asks for (RFC 9110 section 10.2.3: a number or a date)."""
    with contextlib.suppress(ValueError):
        seconds = float(value)
        return min(max(seconds, 0.0), _LONGEST_WAIT) if math.isfinite(seconds) else None
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), _LONGEST_WAIT)
    return None


def _body(response: object) -> str:
    """Return the first characters of a provider's answer."""
    return str(getattr(response, "text", "") or "")[:1000]


def _refused(error: AnymailRecipientsRefused) -> Outcome:
    """Return the outcome when a provider refused every recipient: `invalid`, or `rejected` by its own list.

    Mandrill says `rejected` for unsigned senders and exhausted accounts too: no word about the mailbox.
    """
    statuses = getattr(getattr(error.email_message, "anymail_status", None), "status", None) or set()
    bad = "invalid" in statuses or ("rejected" in statuses and error.esp_name != "Mandrill")
    detail = told(
        f"the provider refused the recipient ({', '.join(sorted(statuses))}) {_body(error.response)}"
    )
    return Outcome(Fate.REJECTED, detail, address_is_bad=bad, refused=True)


def _aws(error: AnymailAPIError) -> Outcome:
    """Return the outcome of a fault of Anymail's SES backend, which keeps the AWS client's own exceptions."""
    detail = told(error)
    answer = error.response if isinstance(error.response, dict) else {}
    code = str(answer.get("Error", {}).get("Code", ""))
    if code in _AWS_THROTTLED:
        return Outcome(Fate.DEFERRED, detail, slower=Slower.PROVIDER)
    if code in _AWS_STOPPED or type(error.__cause__).__name__ in _AWS_NOT_SENT:
        return Outcome(Fate.NOT_SENT, detail)
    if type(error.__cause__).__name__ == "ParamValidationError":
        return Outcome(Fate.REJECTED, detail)
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return http(status, {}, f"{code} {detail}") if status else Outcome(Fate.UNKNOWN, detail)
