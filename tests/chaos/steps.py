"""The twelve steps at which a worker is killed; by the seed: at which call, who dies, whether twice. Pure."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: Whose death it is: one process of the pool, the worker with its pool, or beat as well.
POOL, GROUP, GROUP_AND_BEAT = "pool", "group", "group and beat"
#: Stages that the mail server sees; it kills from outside.
MID_BODY, DOT, REPLY = "mid-body", "dot", "reply"
WIRE = (MID_BODY, DOT, REPLY)


@dataclass(frozen=True)
class Stage:
    """A moment within the product's code: `when` (before or after) a call of `function`, if `only` is so.

    `function` is module:attribute; `upto` the last call at which the first kill may come.
    """

    function: str
    when: str
    upto: int
    only: str = ""


STAGES: Mapping[str, Stage] = {
    "claim": Stage("digest.delivery.claiming:claim", "before", 6),
    "claimed": Stage("digest.delivery.claiming:claim", "after", 6, "something came of it"),
    "rendered": Stage("digest.rendering.renderer:EditionRenderer.digest", "after", 400),
    "submitting": Stage("digest.delivery.run:Worker._exchange", "after", 45, "something came of it"),
    "replies read": Stage("subscribers.transport:Senders.send_all", "after", 45, "something came of it"),
    "committed": Stage("digest.delivery.run:Worker._exchange", "after", 45, "outcomes were written"),
    "before sweep": Stage("digest.delivery.settling:sweep", "before", 1, "a lease has lapsed"),
    "within sweep": Stage("digest.models.deliveries:DeliveryQuerySet.waiting", "before", 1, "the sweep asks"),
    "after sweep": Stage("digest.delivery.settling:end_cancelled", "before", 1, "the sweep asks"),
    "words counted": Stage("digest.terms:compute", "after", 1),
    "appearances read": Stage("digest.editions:_unclaimed", "after", 1),
    "candidates made": Stage("digest.editions:_candidates", "after", 1),
    "edition moved": Stage("digest.editions:move", "after", 1, "it froze"),
    "frozen": Stage("digest.editions:freeze", "after", 1),
    "delivery made": Stage("digest.enrolling:_delivery", "after", 400),
    "superseded": Stage("digest.delivery.settling:supersede", "after", 3),
    "page written": Stage("digest.enrolling:_write", "after", 3),
    "page committed": Stage("digest.enrolling:_enroll_page", "after", 4),
    "finishing": Stage("digest.enrolling:_finish", "before", 1),
    "finished": Stage("digest.enrolling:_finish", "after", 1),
    "readers held": Stage("digest.events.applying:_hold_readers", "after", 3),
    "facts stated": Stage("digest.events.applying:_state_facts", "after", 3),
    "effect had": Stage("digest.events.applying:_have_effect", "after", 150),
    "unknown settled": Stage("digest.events.applying:_settle_unknown", "after", 3),
    "events applied": Stage("digest.events.applying:_apply", "after", 3),
}


@dataclass(frozen=True)
class Step:
    """One of the twelve. The seed chooses among `stages`; `frozen`: the edition is frozen and approved."""

    stages: tuple[str, ...]
    frozen: bool = True


STEPS: Mapping[str, Step] = {
    "before claim": Step(("claim",)),
    "after claim commit": Step(("claimed",)),
    "after render": Step(("rendered",)),
    "after submitting commit": Step(("submitting",)),
    "mid-body": Step((MID_BODY,)),
    "after the final dot": Step((DOT,)),
    "after the reply, before its commit": Step((REPLY, "replies read")),
    "after commit": Step(("committed",)),
    "during the sweep": Step(("before sweep", "within sweep", "after sweep")),
    "during freeze": Step(
        ("words counted", "appearances read", "candidates made", "edition moved", "frozen"), frozen=False
    ),
    "during enrol": Step(
        ("delivery made", "superseded", "page written", "page committed", "finishing", "finished"),
        frozen=False,
    ),
    "while a webhook is applied": Step(
        ("readers held", "facts stated", "effect had", "unknown settled", "events applied")
    ),
}
#: What workers may be without, to see the test turn red; `broken` takes it away.
GUARDS = (
    "submitting before the wire",
    "unknown after death",
    "enrolment's mark with its page",
    "events applied with their effects",
)
SWEEP, WEBHOOK = "during the sweep", "while a webhook is applied"


@dataclass(frozen=True)
class Kill:
    """Kill `victim` at the `nth` time (from the run's start, over all processes) that `stage` comes."""

    stage: str
    nth: int
    victim: str


@dataclass(frozen=True)
class Plan:
    """What happens in one run. `cut`: a connection whose client died is cut, not read to its end."""

    step: str
    seed: int
    kills: tuple[Kill, ...]
    cut: bool

    @property
    def carrier(self) -> str:
        """How mails leave: by a provider's API where there are webhooks, and for every fifth other seed.

        The three steps on the wire are SMTP's.
        """
        on_the_wire = set(WIRE) & set(STEPS[self.step].stages)
        return "http" if self.step == WEBHOOK or (self.seed % 5 == 4 and not on_the_wire) else "smtp"

    def as_json(self) -> list[dict[str, Any]]:
        """Return the kills as plain values."""
        return [asdict(kill) for kill in self.kills]


def plan(step: str, seed: int, *, nth: int | None = None) -> Plan:
    """Return the plan of `step` for `seed`: the same on every machine. `nth`: when to kill first instead."""
    dice = random.Random(f"{step} {seed}")
    stage = STEPS[step].stages[seed % len(STEPS[step].stages)]
    upto = 400 if stage in WIRE else STAGES[stage].upto
    first = Kill(stage, nth or dice.randint(1, upto), dice.choice((POOL, POOL, GROUP, GROUP, GROUP_AND_BEAT)))
    kills = [first]
    if step == SWEEP:
        # There is nothing to sweep up before somebody has died on the wire.
        kills = [Kill("submitting", dice.randint(1, 45), dice.choice((POOL, GROUP, GROUP))), first]
    elif dice.random() < 0.3:
        again = first.nth + dice.randint(1, max(upto // 8, 1))
        kills.append(Kill(stage, again, dice.choice((POOL, GROUP))))
    return Plan(step, seed, tuple(kills), cut=dice.random() < 0.5)
