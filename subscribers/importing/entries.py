"""What a row says about a reader, in our own words: where every provider's vocabulary ends."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum


class RowError(ValueError):
    """A row cannot be used; `str()` is a sentence that says what to do, without the address."""


class Standing(Enum):
    """How a reader stands with the list that the file comes from; of two, the later here counts."""

    SUBSCRIBED = "subscribed"
    LEFT = "left"
    UNCONFIRMED = "never confirmed"
    BOUNCED = "undeliverable"
    COMPLAINED = "complained"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: the address as written, what its reader follows, and how they stand."""

    address: str
    standing: Standing = Standing.SUBSCRIBED
    tags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    time_zone: str = ""
    frequency: str = ""
    agreed_at: datetime | None = None
    #: Sentences about what the row says and we cannot use; it comes in without.
    doubts: tuple[str, ...] = ()


_TAG = re.compile(r'"((?:[^"]|"")*)"|([^",;|]+)')
_YEARS = range(1991, 2200)


def tags_in(cell: str) -> tuple[str, ...]:
    """Return the tags of a cell: `"a, b","c"` as Mailchimp writes them, or a, b or a;b or a|b."""
    found = (quoted.replace('""', '"') or plain for quoted, plain in _TAG.findall(cell))
    return tuple(dict.fromkeys(tag for tag in (" ".join(tag.split()) for tag in found) if tag))


def moment_in(text: str) -> datetime | None:
    """Return the moment that `text` gives in ISO 8601, UTC unless it says otherwise, or None."""
    try:
        moment = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC) if moment.year in _YEARS else None
    except (ValueError, OverflowError):
        return None
