"""What a provider's event says, in our own words. Pure: the vocabulary of all providers ends here."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason

from digest.models import Delivery, ProviderEvent
from subscribers import outcomes

Kind = ProviderEvent.Kind

_PLAIN = {
    EventType.DELIVERED: Kind.DELIVERED,
    EventType.COMPLAINED: Kind.COMPLAINED,
    EventType.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
    # The provider has it, and goes on trying: no bounce yet, but it was taken.
    EventType.QUEUED: Kind.OTHER,
    EventType.SENT: Kind.OTHER,
    EventType.DEFERRED: Kind.OTHER,
}
_FAILURES = {EventType.BOUNCED, EventType.REJECTED, EventType.FAILED}
#: What a provider gives as the reason when the server's own answer is not clear.
_REASONS = {
    RejectReason.INVALID: Kind.BOUNCED,
    RejectReason.BOUNCED: Kind.BOUNCED,
    RejectReason.TIMED_OUT: Kind.SOFT_BOUNCED,
    RejectReason.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
}
#: Providers' own names of a failure that Anymail does not tell from others.
_NAMES = {
    **dict.fromkeys(("SoftBounce", "soft_bounce", "soft bounce"), Kind.SOFT_BOUNCED),
    **dict.fromkeys(("Transient", "Undetermined"), Kind.SOFT_BOUNCED),  # Amazon SES, Resend
    **dict.fromkeys(("20", "21", "22", "24", "70"), Kind.SOFT_BOUNCED),  # SparkPost
    "old": Kind.SOFT_BOUNCED,  # Mailgun gave up trying
    "suppress-unsubscribe": Kind.UNSUBSCRIBED,  # Mailgun, of an earlier mail
    "suppress-complaint": Kind.COMPLAINED,
}
#: Enhanced status codes (RFC 3463) of a mailbox that may be well tomorrow: full, off, unreachable.
_FOR_NOW = re.compile(r"4\.|5\.2\.[12]$|5\.4\.[347]$")
#: Codes that say nothing beyond "no": the provider's own judgement counts for more.
_VAGUE = re.compile(r"5\.(?:0|3|5)\.0$")
_FULL = re.compile(r"\b(?:full|quota|storage)\b", re.IGNORECASE)


def kind_of(event: AnymailTrackingEvent) -> ProviderEvent.Kind | None:
    """Return what `event` says; None for what is no business of ours.

    Opens and clicks are among that: no reader agreed to be watched by the provider.
    """
    if event.event_type in _FAILURES:
        return _failure(event)
    return _PLAIN.get(event.event_type)


def _failure(event: AnymailTrackingEvent) -> ProviderEvent.Kind:
    """Return which kind of failure it is: the server's answer first, then the provider's words."""
    answered = by_answer(str(event.mta_response or ""))
    if answered is not None:
        return answered
    named = next((_NAMES[name] for name in _names(event.esp_event) if name in _NAMES), None)
    if named is not None:
        return named
    if event.event_type == EventType.REJECTED and event.reject_reason == RejectReason.SPAM:
        return Kind.COMPLAINED  # of an earlier mail: the provider keeps a list
    if event.event_type == EventType.FAILED:
        return Kind.REFUSED
    return _REASONS.get(event.reject_reason, Kind.REFUSED)


def by_answer(said: str) -> ProviderEvent.Kind | None:
    """Return what a server's answer says of the mailbox; None where it is not clear."""
    code = outcomes.enhanced_code(said)
    if code in outcomes.NO_SUCH_MAILBOX:
        return Kind.BOUNCED
    if _FOR_NOW.match(code):
        return Kind.SOFT_BOUNCED
    if code and not _VAGUE.match(code):
        return Kind.REFUSED
    if _FULL.search(said):
        return Kind.SOFT_BOUNCED
    return Kind.REFUSED if outcomes.speaks_of_policy(said) else None


def _names(raw: Any) -> Iterator[str]:  # noqa: ANN401 - whatever a provider posted
    """Yield what the provider calls the failure, wherever it writes that."""
    ways = (
        ("Type",),  # Postmark
        ("event",),  # Brevo, Mailtrap
        ("event-data", "reason"),  # Mailgun
        ("bounce", "bounceType"),  # Amazon SES
        ("data", "bounce", "type"),  # Resend
        ("bounce_class",),  # SparkPost
    )
    for way in ways:
        found = raw
        for step in way:
            found = found.get(step) if hasattr(found, "get") else None
        if isinstance(found, str):
            yield found
    if hasattr(raw, "get") and raw.get("hard_bounce") is False:  # Mailjet
        yield "soft_bounce"


def evidence(kinds: Collection[str]) -> Delivery.State:
    """Return how a delivery of unknown outcome ended, by all that was heard of it, in whatever order.

    What bounced did not arrive, unless something says that it did: then its papers come back.
    """
    arrived = {Kind.DELIVERED, Kind.COMPLAINED, Kind.UNSUBSCRIBED}
    if arrived.isdisjoint(kinds) and not {Kind.BOUNCED, Kind.REFUSED}.isdisjoint(kinds):
        return Delivery.State.REJECTED
    return Delivery.State.ACCEPTED
