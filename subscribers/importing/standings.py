"""How a row says that its reader has left, bounced or never agreed: in any column, of any provider.

Who once left must not be mailed because their file came from elsewhere than its other columns tell. So every
column whose name sounds like a status is read, and one that we cannot read refuses the file.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum

from subscribers.importing.entries import RowError, Standing, moment_in

#: Columns that hold a word.
_STATUS = frozenset(
    "status state email_status member_status subscriber_status subscription_status contact_status "
    "list_status marketing_status email_marketing_status subscriber_type".split()
)
#: Columns that hold yes, no or a moment, and what yes means.
_FLAGS = {
    **dict.fromkeys(
        "opt_out optout opted_out email_opt_out has_opted_out_of_email opt_out_time opt_out_date unsub "
        "unsubscribed is_unsubscribed unsub_time unsub_date unsubscribe_date unsubscribe_time "
        "unsubscribed_at unsubscribed_date unsubscription_date".split(),
        Standing.LEFT,
    ),
    **dict.fromkeys(
        "bounced is_bounced hard_bounced bounced_at bounce_date cleaned clean_time "
        "undeliverability_date".split(),
        Standing.BOUNCED,
    ),
    **dict.fromkeys("complained complained_at complaint_date".split(), Standing.COMPLAINED),
    **dict.fromkeys("blocked blocklisted suppressed".split(), Standing.BLOCKED),
}
#: What explains a flag, and says nothing of its own while the flag is there.
_EXPLAINED = {
    "unsub_time": "unsub_",
    "clean_time": "clean_",
    "unsubscription_date": "unsubscription_",
    "undeliverability_date": "undeliverability_",
}
#: Names that may say who has left, in a vocabulary nobody told us.
_TELLS = re.compile(
    r"status|(^|_)state$|unsub|opt(ed)?_?out|bounce|(^|_)clean(ed)?(_|$)|complain|block(ed|list)|suppress"
    r"|undeliver|subscribed$|(^|_)(in)?active|confirmed"
)
_WORDS = {
    # Ours, Mailchimp's, listmonk's and Buttondown's words for a subscriber.
    **dict.fromkeys(
        ("", "active", "subscribed", "confirmed", "enabled", "regular", "premium", "trialed", "gifted"),
        Standing.SUBSCRIBED,
    ),
    **dict.fromkeys(("unpaid", "churning", "churned", "paused", "past_due", "upcoming"), Standing.SUBSCRIBED),
    **dict.fromkeys(
        (
            *("unsubscribed", "left", "removed", "disabled", "archived", "deleted", "inactive"),
            *("opted out", "opted-out", "opt-out", "opt out"),
        ),
        Standing.LEFT,
    ),
    **dict.fromkeys(
        (
            *("pending", "unconfirmed", "unactivated", "transactional"),
            *("non-subscribed", "nonsubscribed", "non subscribed", "not subscribed"),
        ),
        Standing.UNCONFIRMED,
    ),
    **dict.fromkeys(("suppressed", "bounced", "cleaned", "undeliverable"), Standing.BOUNCED),
    **dict.fromkeys(("complained", "spam"), Standing.COMPLAINED),
    **dict.fromkeys(("blocked", "blocklisted", "blacklisted", "spammy"), Standing.BLOCKED),
}
_YES, _NO = frozenset({"yes", "y", "true", "t", "1", "x"}), frozenset({"", "no", "n", "false", "f", "0"})
_SEVERITY = list(Standing)


class Telling(Enum):
    """How a column says it."""

    BY_WORD = "word"
    BY_FLAG = "flag"


def folded(name: str) -> str:
    """Return a column's name without what sets its parts apart: "Opt-Out" is "opt_out"."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def telling(columns: Iterable[str]) -> dict[str, Telling]:
    """Return which of the columns say how a reader stands, and in which way."""
    found = {}
    for name in columns:
        if folded(name) in _STATUS:
            found[name] = Telling.BY_WORD
        elif folded(name) in _FLAGS:
            found[name] = Telling.BY_FLAG
    return found


def doubtful(columns: Iterable[str]) -> list[str]:
    """Return the columns that may say who has left without our understanding them."""
    names = {name: folded(name) for name in columns}
    explained = tuple(start for flag, start in _EXPLAINED.items() if flag in names.values())
    return sorted(
        name
        for name in names.keys() - telling(names).keys()
        if _TELLS.search(names[name]) and not names[name].startswith(explained)
    )


def standing_in(row: Mapping[str, str], told_by: Mapping[str, Telling]) -> Standing:
    """Return the worst that the columns `told_by` say of the row. Raises RowError for a word unknown."""
    said = [
        meant(row.get(name, "")) if way is Telling.BY_WORD else _flagged(name, row.get(name, ""))
        for name, way in told_by.items()
    ]
    return worst(*said)


def worst(*standings: Standing) -> Standing:
    """Return the one that keeps a reader out most firmly."""
    return max(standings, key=_SEVERITY.index, default=Standing.SUBSCRIBED)


def meant(word: str) -> Standing:
    """Return what a status means. Raises RowError for one we do not know: it might mean "never again"."""
    try:
        return _WORDS[word.strip().casefold()]
    except KeyError:
        raise RowError(
            f"The status “{word.strip()[:40]}” is not known here. Write active or unsubscribed, or, if the "
            "column says something else, give it another name."
        ) from None


def _flagged(name: str, cell: str) -> Standing:
    word = cell.strip().casefold()
    if word in _NO:
        return Standing.SUBSCRIBED
    dated = folded(name).endswith(("_time", "_date", "_at"))  # then anything is a moment, however written
    if word in _YES or dated or moment_in(word):
        return _FLAGS[folded(name)]
    raise RowError(f"The column {name} says neither yes nor no, nor a moment. Write yes, or leave it empty.")
