"""The files we know: how each is told by its header, and what its rows say.

Names and everything else about a person are passed over: nothing here reads them, so nothing keeps them.
What the columns of status say is added to each entry by `sheets`, whatever the format (see `standings`).
"""

import json
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from subscribers.importing.entries import Entry, RowError, Standing, moment_in, tags_in
from subscribers.importing.standings import meant
from subscribers.models import ImportJob

Row = Mapping[str, str]
#: What a plain file may call its column of addresses.
_ADDRESS = ("email", "email_address", "e-mail", "e-mail_address", "address", "mail")
_ZONES = frozenset(zoneinfo.available_timezones())


def column(name: str) -> str:
    """Return a column's name as it is compared: "Email Address" is "email_address"."""
    return re.sub(r"\s+", "_", name.strip().casefold())


@dataclass(frozen=True)
class Format:
    """A kind of file: `knows` is asked about its columns, `read` about each row (raises RowError)."""

    name: ImportJob.Format
    knows: Callable[[frozenset[str]], bool]
    read: Callable[[Row], Entry]
    #: Whether a leading apostrophe is our guard against formulas.
    guarded: bool = False


def _address(row: Row) -> str:
    return next((row[name] for name in _ADDRESS if name in row), "")


# --- Mailchimp: one file each of subscribed, unsubscribed and cleaned contacts -------------------------
def _is_mailchimp(columns: frozenset[str]) -> bool:
    return "email_address" in columns and bool(columns & {"leid", "euid", "optin_time", "member_rating"})


def _mailchimp(row: Row) -> Entry:
    zone, no_zone = _zone(row.get("timezone", ""))
    agreed_at, no_moment = _agreed(row, "confirm_time", "optin_time")
    return Entry(
        address=row.get("email_address", ""),
        standing=_mailchimp_standing(row),
        tags=tags_in(row.get("tags", "")),
        time_zone=zone,
        agreed_at=agreed_at,
        doubts=(*no_zone, *no_moment),
    )


def _zone(name: str) -> tuple[str, list[str]]:
    """Return the zone, or "" and the sentence that says why: Mailchimp guesses zones, nobody chose them."""
    if not name or name in _ZONES:
        return name, []
    return "", ["The time zone is none we know: UTC is taken."]


def _agreed(row: Row, *names: str) -> tuple[datetime | None, list[str]]:
    """Return the first moment among the columns, and a sentence about each cell that holds none."""
    moments = {name: moment_in(row[name]) for name in names if row.get(name)}
    agreed_at = next(filter(None, moments.values()), None)
    instead = "another column" if agreed_at else "the time of the import"
    unread = [name for name, moment in moments.items() if moment is None]
    return agreed_at, [f"{name} is no moment: {instead} counts." for name in unread]


def _mailchimp_standing(row: Row) -> Standing:
    """Return it by the columns that only one of the three files has; of joined files the cells tell."""
    left, cleaned = "unsub_time" in row, "clean_time" in row
    if cleaned and not left:
        return Standing.BOUNCED
    return Standing.LEFT if left and not cleaned else Standing.SUBSCRIBED


# --- Buttondown ----------------------------------------------------------------------------------------
def _is_buttondown(columns: frozenset[str]) -> bool:
    typed = bool(columns & {"subscriber_type", "type"})
    return bool(columns & {"email", "email_address"}) and typed


def _buttondown(row: Row) -> Entry:
    kind = row.get("subscriber_type", row.get("type", ""))
    if not kind:
        raise RowError("The subscriber's type is empty. Write regular or unsubscribed.")
    agreed_at, doubts = _agreed(row, "creation_date", "subscription_date")
    return Entry(
        _address(row),
        meant(kind),
        tags=tags_in(row.get("tags", "")),
        agreed_at=agreed_at,
        doubts=tuple(doubts),
    )


# --- listmonk: uuid, email, name, attributes (JSON), status, created_at, updated_at --------------------
def _is_listmonk(columns: frozenset[str]) -> bool:
    return "email" in columns and ("attributes" in columns or {"uuid", "status"} <= columns)


def _listmonk(row: Row) -> Entry:
    attributes = _attributes(row.get("attributes", ""))
    zone = attributes.get("time_zone") or attributes.get("timezone")
    agreed_at, doubts = _agreed(row, "created_at")
    return Entry(
        address=row.get("email", ""),
        tags=(*_texts(attributes.get("topics")), *_texts(attributes.get("tags"))),
        words=_texts(attributes.get("words")),
        time_zone=zone if isinstance(zone, str) else "",
        frequency=str(attributes.get("frequency") or ""),
        agreed_at=agreed_at,
        doubts=tuple(doubts),
    )


def _attributes(cell: str) -> dict[str, object]:
    try:
        found = json.loads(cell or "{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RowError("The attributes are not a JSON object, such as {}.")
    return found


def _texts(value: object) -> tuple[str, ...]:
    """Return the texts of a list, or of a text with separators."""
    if isinstance(value, list):
        return tuple(entry for entry in value if isinstance(entry, str))
    return tags_in(value) if isinstance(value, str) else ()


# --- Plain: our own, and what anybody writes by hand ---------------------------------------------------
def _is_plain(columns: frozenset[str]) -> bool:
    return not columns.isdisjoint(_ADDRESS)


def _plain(row: Row) -> Entry:
    since = row.get("subscribed_at", "")
    agreed_at = moment_in(since)
    if since and agreed_at is None:
        raise RowError("subscribed_at is no moment. Write 2025-03-01 or 2025-03-01T09:30:00Z.")
    return Entry(
        address=_address(row),
        tags=tags_in(row.get("topics", row.get("tags", ""))),
        words=tuple(row.get("words", "").splitlines()),
        time_zone=row.get("time_zone", ""),
        frequency=row.get("frequency", ""),
        agreed_at=agreed_at,
    )


#: In the order they are tried: the plain one last, since it asks for so little.
FORMATS = {
    known.name: known
    for known in (
        Format(ImportJob.Format.MAILCHIMP, _is_mailchimp, _mailchimp),
        Format(ImportJob.Format.LISTMONK, _is_listmonk, _listmonk),
        Format(ImportJob.Format.BUTTONDOWN, _is_buttondown, _buttondown),
        Format(ImportJob.Format.PLAIN, _is_plain, _plain, guarded=True),
    )
}
