"""The signed time of a page with the sign-up form, and the wording of consent that stood on it.

A stamp is `<milliseconds>.<wording>:<signature>`, signed with SECRET_KEY under a salt of its own. It names
nobody, so a page may be kept in a cache and handed to many.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.signing import BadSignature, Signer

_SALT = "subscribers.stamps"
#: A signature is 43 characters long, the rest a few digits: no need to look at more.
_LONGEST = 120
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a page was made, and the primary key of the ConsentText on it."""

    made_at: datetime
    wording: int


def make(wording: int, *, at: datetime) -> str:
    """Return the stamp for a page made at `at` that shows the ConsentText with primary key `wording`."""
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    return Signer(salt=_SALT).sign(f"{milliseconds}.{wording}")


def read(given: str) -> Stamp | None:
    """Return what the stamp `given` says, or None for one that is not ours."""
    if len(given) > _LONGEST:
        return None
    try:
        milliseconds, _, wording = Signer(salt=_SALT).unsign(given).partition(".")
    except BadSignature:
        return None
    return Stamp(_EPOCH + timedelta(milliseconds=int(milliseconds)), int(wording))
