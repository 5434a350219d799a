"""When to stop: what a group's outcomes tell of a fault that is not its readers'."""

from collections.abc import Sequence

from subscribers.transport import Fate, Outcome

#: So many readers of one batch may be unmailable or refused together by chance; more is a fault of ours.
MOST_POISON = 10


def is_vain(outcomes: Sequence[Outcome]) -> bool:
    """Say whether a whole group tells of a fault that is not its readers': then the rest is not tried now.

    A server that is away, a wrong password, a provider's outage, a message nobody takes.
    """
    return len(outcomes) > 0 and (
        all(outcome.fate is Fate.NOT_SENT for outcome in outcomes)
        or (
            len(outcomes) > MOST_POISON
            and not any(outcome.fate is Fate.ACCEPTED or outcome.address_is_bad for outcome in outcomes)
        )
    )
