"""The files we know: how each is told by its header, and what its rows say.

Names and everything else about a person are passed over: nothing here reads them, so nothing keeps them.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from subscribers.importing.entries import Entry, RowError, Standing, moment_in, tags_in
from subscribers.models import ImportJob

Row = Mapping[str, str]
#: What a plain file may call its column of addresses.
_ADDRESS = ("email", "email_address", "e-mail", "e-mail_address", "address", "mail")
#: Columns of a plain file that may say who has left, in a vocabulary nobody told us.
_TELLS = re.compile(
    r"status|state$|unsub|opt.?out|bounce|clean|complain|block|suppress|subscribed$|active|confirmed"
)


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
    return Entry(
        address=row.get("email_address", ""),
        standing=_mailchimp_standing(row),
        tags=tags_in(row.get("tags", "")),
        agreed_at=moment_in(row.get("confirm_time", "")) or moment_in(row.get("optin_time", "")),
    )


def _mailchimp_standing(row: Row) -> Standing:
    """Return it by the columns that only one of the three files has; in joined files, by their cells."""
    left, cleaned = row.get("unsub_time"), row.get("clean_time")
    if cleaned or (cleaned is not None and left is None):
        return Standing.BOUNCED
    if left or (left is not None and cleaned is None):
        return Standing.LEFT
    return Standing.SUBSCRIBED


# --- Buttondown ----------------------------------------------------------------------------------------
_BUTTONDOWN = {
    **dict.fromkeys(
        "regular premium trialed gifted unpaid churning churned paused past_due upcoming".split(),
        Standing.SUBSCRIBED,
    ),
    "unactivated": Standing.UNCONFIRMED,
    "unsubscribed": Standing.LEFT,
    "removed": Standing.LEFT,
    "undeliverable": Standing.BOUNCED,
    "complained": Standing.COMPLAINED,
    "blocked": Standing.BLOCKED,
    "spammy": Standing.BLOCKED,
}


def _is_buttondown(columns: frozenset[str]) -> bool:
    typed = bool(columns & {"subscriber_type", "type"})
    return bool(columns & {"email", "email_address"}) and typed


def _buttondown(row: Row) -> Entry:
    since = row.get("creation_date") or row.get("subscription_date") or ""
    standing = _known(row.get("subscriber_type", row.get("type", "")), _BUTTONDOWN)
    if standing is Standing.SUBSCRIBED and row.get("unsubscription_date"):
        standing = Standing.LEFT
    if standing is Standing.SUBSCRIBED and row.get("undeliverability_date"):
        standing = Standing.BOUNCED
    return Entry(_address(row), standing, tags=tags_in(row.get("tags", "")), agreed_at=moment_in(since))


# --- listmonk: uuid, email, name, attributes (JSON), status, created_at, updated_at --------------------
_LISTMONK = {
    "": Standing.SUBSCRIBED,
    "enabled": Standing.SUBSCRIBED,
    "disabled": Standing.LEFT,
    "blocklisted": Standing.BLOCKED,
    "blacklisted": Standing.BLOCKED,
}


def _is_listmonk(columns: frozenset[str]) -> bool:
    return "email" in columns and ("attributes" in columns or {"uuid", "status"} <= columns)


def _listmonk(row: Row) -> Entry:
    attributes = _attributes(row.get("attributes", ""))
    zone = attributes.get("time_zone") or attributes.get("timezone")
    return Entry(
        address=row.get("email", ""),
        standing=_known(row.get("status", ""), _LISTMONK),
        tags=(*_texts(attributes.get("topics")), *_texts(attributes.get("tags"))),
        words=_texts(attributes.get("words")),
        time_zone=zone if isinstance(zone, str) else "",
        frequency=str(attributes.get("frequency") or ""),
        agreed_at=moment_in(row.get("created_at", "")),
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
_PLAIN = {
    **dict.fromkeys(("", "active", "subscribed"), Standing.SUBSCRIBED),
    **dict.fromkeys(("unsubscribed", "left"), Standing.LEFT),
    **dict.fromkeys(("pending", "unconfirmed"), Standing.UNCONFIRMED),
    **dict.fromkeys(("suppressed", "bounced", "cleaned"), Standing.BOUNCED),
    "complained": Standing.COMPLAINED,
    "blocked": Standing.BLOCKED,
}


def _is_plain(columns: frozenset[str]) -> bool:
    return not columns.isdisjoint(_ADDRESS) and not doubtful(columns)


def doubtful(columns: frozenset[str]) -> list[str]:
    """Return the columns that may say who has left without our understanding them."""
    return sorted(name for name in columns - {"status"} if _TELLS.search(name))


def _plain(row: Row) -> Entry:
    since = row.get("subscribed_at", "")
    agreed_at = moment_in(since)
    if since and agreed_at is None:
        raise RowError("subscribed_at is no moment. Write 2025-03-01 or 2025-03-01T09:30:00Z.")
    return Entry(
        address=_address(row),
        standing=_known(row.get("status", ""), _PLAIN),
        tags=tags_in(row.get("topics", row.get("tags", ""))),
        words=tuple(row.get("words", "").splitlines()),
        time_zone=row.get("time_zone", ""),
        frequency=row.get("frequency", ""),
        agreed_at=agreed_at,
    )


def _known(word: str, standings: Mapping[str, Standing]) -> Standing:
    """Return what a status means. Raises RowError for one we do not know: it might mean "never again"."""
    try:
        return standings[word.strip().casefold()]
    except KeyError:
        known = ", ".join(filter(None, standings))
        raise RowError(f"The status “{word.strip()[:40]}” is not known here. Use one of {known}.") from None


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
