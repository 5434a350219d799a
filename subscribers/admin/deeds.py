"""What a curator can do to a reader, each through `lifecycle`, with "admin" as its trace."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from subscribers import lifecycle
from subscribers.consent import Trace
from subscribers.models import Subscriber, Suppression

_BY_A_CURATOR = Trace(source="admin")


@dataclass(frozen=True, slots=True)
class Deed:
    """An action: what it asks, what follows from it, how it is told afterwards, and the deed itself."""

    question: str
    sentence: str
    past: str
    act: Callable[[Subscriber, datetime], object]


def _unsubscribe(reader: Subscriber, at: datetime) -> None:
    lifecycle.unsubscribe(reader.public_id, at=at, trace=_BY_A_CURATOR)


def _suppress(reader: Subscriber, at: datetime) -> None:
    lifecycle.suppress(reader.address_hash, Suppression.Reason.REQUEST, "admin", at=at)


def _erase(reader: Subscriber, at: datetime) -> None:
    lifecycle.erase(reader.public_id, at=at, trace=_BY_A_CURATOR)


DEEDS = {
    "unsubscribe": Deed(
        question="Unsubscribe these readers?",
        sentence="They get no more mail, from this moment. They may sign up again.",
        past="unsubscribed",
        act=_unsubscribe,
    ),
    "suppress": Deed(
        question="Never mail these readers again?",
        sentence="Their addresses go on the suppression list. No form, no import and no erasure undoes that: "
        "only taking the address off the list does.",
        past="suppressed",
        act=_suppress,
    ),
    "erase": Deed(
        question="Erase these readers?",
        sentence="Their addresses, choices and mails are deleted at once, for good. What stays is the proof "
        "of their consent and, if they are on it, their place on the suppression list, both by hash.",
        past="erased",
        act=_erase,
    ),
}
