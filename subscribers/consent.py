"""The consent log: who agreed to which wording, when, and where the wish came from. Rows are only added."""

from dataclasses import dataclass
from datetime import datetime

from subscribers.links import confirmation_binding
from subscribers.models import ConsentEvent, ConsentText, Subscriber

#: Sources of events that are no coming and no going: a reader moved to another address, and an operator took
#: one off the suppression list.
MOVING = "address change"
LIFTING = "suppression lifted"


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a wish came from, kept as proof: the form or link, the network address, the browser's name."""

    source: str
    network: str | None = None
    user_agent: str = ""


def current_consent_text() -> ConsentText:
    """Return the wording that a sign-up of today agrees to."""
    return ConsentText.objects.filter(purpose=ConsentText.Purpose.DIGESTS).latest("pk")


def record(
    reader: Subscriber | None,
    kind: ConsentEvent.Kind,
    trace: Trace,
    *,
    at: datetime,
    text: ConsentText | None = None,
    hashed: str = "",
) -> None:
    """Add one event; call it in the transaction of what it tells of.

    `hashed` is the hash of its address where that is not the reader's, or there is no reader.
    """
    ConsentEvent.objects.create(
        subscriber=reader,
        address_hash=hashed or (reader.address_hash if reader else ""),
        kind=kind,
        text=text,
        source=trace.source,
        network=trace.network,
        user_agent=trace.user_agent,
        at=at,
    )


def text_asked_with(reader: Subscriber) -> ConsentText | None:
    """Return the wording of the reader's newest request, or None for one who never asked by a form."""
    asked = ConsentEvent.objects.filter(subscriber=reader, kind=ConsentEvent.Kind.REQUESTED)
    event = asked.select_related("text").order_by("-pk").first()
    return event.text if event else None


def binding_of(reader: Subscriber) -> str:
    """Return what a confirmation link of `reader` is bound to: the address and the wording asked with."""
    text = text_asked_with(reader)
    return confirmation_binding(reader.address_hash, text.version if text else "")
