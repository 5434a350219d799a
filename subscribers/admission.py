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

    The limits come last, so that only what passed all else uses them up.
    """
    refusal = _refusal(attempt, at)
    if refusal is not None and refusal is not TOO_MANY:  # limits has told which
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
    verdict = captcha.judge(attempt.answer)
    if verdict is not Verdict.GOOD:
        return PUZZLE if verdict is Verdict.BAD else NO_PUZZLE
    if not limits.admit(attempt.address, attempt.trace.network, at=at):
        return TOO_MANY
    return None
