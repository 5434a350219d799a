"""Why a paper is in a reader's digest, said so that they can check it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digest.pool import WORTH
from digest.texts import Numbers, Rows
from digest.words import name_key

PINNED = "editor’s pick"
#: For a paper of the edition's own day that nobody has noticed; the second, told on a later day.
NEW_TODAY, NEW_THAT_DAY = "new today", "new that day"
#: Fewer votes, comments or stars than this are no reason to name.
LEAST_NAMED = 2
_LONGEST_QUOTE = 80
_SIGNALS = ("votes", "comments", "stars on GitHub")
# (how a reason begins, what makes it a clause); the first that fits.
_OPENINGS = (
    ("you ", ""),
    ("matches ", "it "),
    (PINNED, "it is the "),
    (("by ", "close to ", "new "), "it is "),
    ("a topic ", "it is in "),
    (tuple("0123456789"), "it has "),
)


@dataclass(frozen=True, slots=True)
class Facet:
    """One thing a reader follows: a topic (text: its name), an author (`name_key`) or own words (as given).

    rows: the papers it is in, ascending; values: how much each counts for it; exact: which say the words.
    """

    kind: str
    text: str
    rows: Rows
    values: Numbers
    exact: npt.NDArray[np.bool_] | None = None

    def reason(self, row: int, names: Sequence[str]) -> str:
        """Return why this facet brings the paper of `row`, whose authors are `names`."""
        if self.kind == "topic":
            return f"you follow {self.text}" if self.text else "a topic you follow"
        if self.kind == "author":
            written = next((name for name in names if name_key(name) == self.text), self.text)
            return f"by {_quoted(written)}, whom you follow"
        exact = self.exact is not None and bool(self.exact[np.searchsorted(self.rows, row)])
        return f"{'matches' if exact else 'close to'} “{_quoted(self.text)}”"


def of_trend(signals: npt.NDArray[np.int64], *, new: bool) -> str:
    """Return a paper's strongest signal (votes, comments, stars), or when it came if all are faint."""
    strongest = int(np.argmax(signals * WORTH))
    amount = int(signals[strongest])
    if amount >= LEAST_NAMED:
        return f"{amount:,} {_SIGNALS[strongest]}"
    return NEW_TODAY if new else "new since your last digest"


def because(reason: str) -> str:
    """Return `reason` as the end of a sentence that "because" begins: "142 votes" is "it has 142 votes"."""
    return next((f"{opening}{reason}" for start, opening in _OPENINGS if reason.startswith(start)), reason)


def _quoted(text: str) -> str:
    """Return `text` on one line, without control characters, clipped to fit a line of the mail."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split()).strip('"“”')
    return line if len(line) <= _LONGEST_QUOTE else f"{line[: _LONGEST_QUOTE - 1].rstrip()}…"
