"""A storm of task messages: each 1 to 5 times, in any order, on four worker processes at once.

    python -m tests.faults.storm [--messages 10000] [--readers 2000] [--seed 1]

On SQLite, or on the PostgreSQL of DATABASE_URL in a database of its own; the broker is its own, too. Prints
what came of it, and ends with 1 when anything happened twice or not at all.
"""

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from celery import Celery

from tests.faults.house import Broker, House, a_house
from tests.processes import wait_until

#: Of a hundred messages, so many are of a kind. `ingest` asks a source that is away.
KINDS = {
    "digest.tasks.deliver": 45,
    "subscribers.tasks.send_outbox": 10,
    "digest.tasks.apply_events": 10,
    "subscribers.tasks.import_readers": 8,
    "digest.tasks.advance": 6,
    "digest.tasks.watch": 5,
    "digest.tasks.tally": 5,
    "digest.tasks.reckon": 3,
    "digest.tasks.tick": 2,
    "digest.tasks.rematch": 2,
    "digest.tasks.keep_figures": 2,
    "digest.tasks.forget": 1,
    "subscribers.tasks.tidy": 1,
}
WORKERS = ("one", "two", "three", "four")
#: The most that it may take, in seconds.
LONGEST = 1_500.0


@dataclass(frozen=True)
class Outcome:
    """What came of a storm, counted from the rows and from the mail server's log."""

    seconds: float
    messages: int
    states: dict[str, int]
    digests: int
    digests_twice: int
    system_mails: int
    system_mails_twice: int
    attempts: int
    left: int
    left_events: int
    imported: int
    imported_events: int
    editions: int
    #: Messages that ended in a traceback.
    tracebacks: int


def messages(count: int, rng: random.Random) -> list[str]:
    """Return `count` task names: each drawn once, then repeated 1 to 5 times, all of them shuffled."""
    drawn: list[str] = []
    while len(drawn) < count:
        drawn += rng.choices(list(KINDS), list(KINDS.values())) * rng.randint(1, 5)
    rng.shuffle(drawn)
    return drawn[:count]


def rage(house: House, broker: Broker, *, count: int, readers: int, seed: int) -> Outcome:
    """Let the storm rage in an empty installation; return what came of it."""
    house.run("-m", "tests.faults.storm_side", str(readers))
    keys = [key for (key,) in house.rows("SELECT id FROM digest_delivery ORDER BY id")]
    house.let_go(keys)
    house.rows("UPDATE subscribers_systemmail SET not_before = %s", house.now())
    with Celery(broker=house.environment["REDIS_URL"], set_as_current=False) as client:
        for name in messages(count, random.Random(seed)):
            client.send_task(name)
    began = time.monotonic()
    house.workers(*WORKERS, concurrency=1)
    with broker.client as queue:
        wait_until(lambda: queue.llen("celery") == 0, LONGEST)
    house.send("digest.tasks.deliver")
    house.all_accepted(keys)
    seconds = time.monotonic() - began
    time.sleep(1)  # the sink writes its log
    return _counted(house, keys, count, seconds)


def _counted(house: House, keys: list[int], count: int, seconds: float) -> Outcome:
    mails, digests = house.mails(), house.mails_of(keys)
    others = {name: number for name, number in mails.items() if name not in digests}

    def number(query: str) -> int:
        return int(house.rows(query)[0][0] or 0)

    return Outcome(
        seconds=seconds,
        messages=count,
        states=dict(house.states(keys)),
        digests=len(digests),
        digests_twice=sum(times > 1 for times in digests.values()),
        system_mails=len(others),
        system_mails_twice=sum(times > 1 for times in others.values()),
        attempts=number("SELECT MAX(attempts) FROM subscribers_systemmail"),
        left=number("SELECT COUNT(*) FROM subscribers_subscriber WHERE status = 'unsubscribed'"),
        left_events=number("SELECT COUNT(*) FROM subscribers_consentevent WHERE kind = 'withdrawn'"),
        imported=number("SELECT COUNT(*) FROM subscribers_subscriber WHERE address LIKE 'imported%'"),
        imported_events=number("SELECT COUNT(*) FROM subscribers_consentevent WHERE kind = 'imported'"),
        editions=number("SELECT COUNT(*) FROM digest_edition"),
        tracebacks=sum(house.said(name).count("Traceback") for name in WORKERS),
    )


def main() -> None:
    """Read the options, let it rage, print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--readers", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="paperboy-storm-") as folder,
        a_house(Path(folder)) as (house, broker),
    ):
        outcome = rage(house, broker, count=given.messages, readers=given.readers, seed=given.seed)
    for name, value in vars(outcome).items():
        print(f"{name:20} {value}")
    twice = outcome.digests_twice + outcome.system_mails_twice + (outcome.left_events - outcome.left)
    sys.exit(0 if outcome.states == {"accepted": given.readers} and not twice else 1)


if __name__ == "__main__":
    main()
