"""Whether a sign-up may come in: asked for the web form and the JSON endpoint alike, before anything is
written.

Nothing here looks at what is known of the address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from subscribers import captcha, limits, stamps
from subscribers.captcha import Verdict
from subscribers.consent import Trace
from subscribers.limits import Room

log = structlog.get_logger(__name__)

#: How old a page is when somebody has filled in its form: people need a moment, and a page may come from a
#: cache.
YOUNGEST, OLDEST = timedelta(seconds=2), timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is looked at: the address from `normalise`, where it came from, and the form's own fields.

    `stamp` is what `stamps.make` put on the page, `trap` the field that people do not see, `answer` what the
    captcha gave.
    """

    address: str
    trace: Trace
    stamp: str
    trap: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not: an HTTP status, and a sentence for the reader. A quiet one is answered as if accepted."""

    status: int
    sentence: str
    quiet: bool = False


PROGRAM = Refusal(303, "", quiet=True)
#: More than enough for one address. A sentence would tell whoever enters it that others have, and strangers
#: could keep its owner out for an hour. Nothing is lost: an earlier wish waits, or its mail has gone.
ENOUGH = Refusal(303, "", quiet=True)
ONCE_MORE = Refusal(422, "Please press Subscribe once more. Nothing you typed is lost.")
PUZZLE = Refusal(422, "Please solve the puzzle above the button, and press Subscribe once more.")
NO_PUZZLE = Refusal(
    503, "The puzzle cannot be checked just now. Please press Subscribe once more in a minute or two."
)
TOO_MANY = Refusal(
    429,
    "Too many sign-ups come in just now. Please try again in an hour. Nothing you typed is lost.",
)


def admit(attempt: Attempt, *, at: datetime) -> Refusal | None:
    """Return why `attempt` may not come in at `at`, or None if it may: then it has been counted.

    The limits come last, so that only what passed all else uses them up. How often a network has a puzzle
    checked is counted before: each time costs a thread, and a call to somebody else.
    """
    refusal = _refusal(attempt, at)
    if refusal is not None and refusal is not TOO_MANY and refusal is not ENOUGH:  # limits has told which
        log.info("sign-up refused", source=attempt.trace.source, status=refusal.status)
    return refusal


def in_time(given: str, at: datetime) -> bool:
    """Say whether the stamp `given` is ours and its page neither too young nor too old."""
    stamp = stamps.read(given)
    return stamp is not None and YOUNGEST <= at - stamp.made_at <= OLDEST


def _refusal(attempt: Attempt, at: datetime) -> Refusal | None:
    if attempt.trap:
        return PROGRAM
    if not in_time(attempt.stamp, at):
        return ONCE_MORE
    if (unsolved := _unsolved(attempt, at)) is not None:
        return unsolved
    room = limits.admit(attempt.address, attempt.trace.network, at=at)
    return {Room.FREE: None, Room.ENOUGH: ENOUGH, Room.FULL: TOO_MANY}[room]


def _unsolved(attempt: Attempt, at: datetime) -> Refusal | None:
    if captcha.in_use() is None:
        return None
    if not limits.may_ask_about_puzzle(attempt.trace.network, at=at):
        return TOO_MANY
    verdict = captcha.judge(attempt.answer)
    return {Verdict.GOOD: None, Verdict.BAD: PUZZLE, Verdict.NOBODY_TO_ASK: NO_PUZZLE}[verdict]
