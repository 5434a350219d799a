"""Sets of events, shuffled and doubled, many readers at once: each comes to the one state that it must.

    python -m tests.digest.events.shuffled --sets 10000

A set is all that is told of one reader's digests, of one day up to five. The sets of a round are posted
together, each event one to three times, in one random order, in posts of random size; what waits is applied
at random moments between. What must come of a set is reckoned here from the set alone, by rules that are
written a second time.
"""

import argparse
import json
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import tests.environment  # noqa: F401 - the settings of the tests, before Django reads any

STATES = ("accepted", "unknown", "rejected")
WHAT = ("delivered", "full", "gone", "policy", "complained")
#: How often each is told: mostly of all sorts, sometimes of a mailbox that is full for days.
WEIGHTS = ((4, 2, 1, 1, 1), (4, 2, 1, 1, 1), (4, 2, 1, 1, 1), (1, 20, 0, 1, 0))
ANSWERS = {
    "gone": "550 5.1.1 no such user",
    "policy": "550 5.7.1 refused",
    "full": "452 4.2.2 the mailbox is full",
}
NAMES = {"delivered": "delivered", "complained": "spamreport"}
#: The facts of a delivery, and what states each; the first that is there is what counts of it.
FACTS = {
    "complained_at": {"complained"},
    "bounced_at": {"gone", "policy"},
    "soft_bounced_at": {"full"},
    "delivered_at": {"delivered"},
}
ROUND = 100


@dataclass
class Set:
    """One reader: for each digest, the state it began in and {what was told: minutes after noon}."""

    number: int
    digests: list[tuple[str, dict[str, int]]] = field(default_factory=list)

    @classmethod
    def drawn(cls, number: int, dice: random.Random) -> "Set":
        """Return a set by chance."""
        made = cls(number)
        weights = dice.choice(WEIGHTS)
        for _ in range(dice.choice((1, 1, 1, 2, 3, 4, 5))):
            what = set(dice.choices(WHAT, weights, k=dice.randint(1, 3)))
            made.digests.append((dice.choice(STATES), {one: dice.randint(1, 600) for one in sorted(what)}))
        return made

    def facts(self) -> list[dict[str, int | None]]:
        """Return, of each digest, {fact: the earliest minute it was told for}."""
        return [
            {
                fact: min((minute for what, minute in told.items() if what in kinds), default=None)
                for fact, kinds in FACTS.items()
            }
            for _state, told in self.digests
        ]

    def suppressed(self) -> str:
        """Return why the address gets no mail any more, or nothing: a complaint outweighs a bounce."""
        heard = {what for _state, told in self.digests for what in told}
        return "complaint" if "complained" in heard else "bounce" if "gone" in heard else ""

    def ends(self) -> list[str]:
        """Return the state of each digest: what was unknown is settled by all that was heard of it."""
        ends = []
        for state, told in self.digests:
            if state == "unknown":
                arrived = "delivered" in told or "complained" in told
                state = "rejected" if not arrived and ("gone" in told or "policy" in told) else "accepted"  # noqa: PLW2901
            ends.append(state)
        return ends

    def paused(self) -> int | None:
        """Return the last of three refused digests after which a reader rests, counted from 0; or None."""
        refused = []
        for number in reversed(range(len(self.digests))):
            told = self.digests[number][1]
            if "delivered" in told:
                break
            if "full" in told:
                refused.append(number)
        return refused[0] if len(refused) >= 3 else None


def posted(sets: list[Set], ids: dict[tuple[int, int], str], dice: random.Random) -> Iterator[list[Any]]:
    """Yield the posts of a round."""
    from tests.cast import NOON  # noqa: PLC0415 - Django is ready by now

    events = []
    for one in sets:
        for place, (_state, told) in enumerate(one.digests):
            for what, minute in told.items():
                event = {
                    "event": NAMES.get(what, "bounce"),
                    "email": f"reader{one.number}@domain{one.number}.example",
                    "timestamp": int(NOON.timestamp()) + 60 * minute,
                    "sg_event_id": f"{one.number}-{place}-{what}",
                    "reason": ANSWERS.get(what, ""),
                    "delivery": ids[one.number, place],
                }
                events += [event] * dice.randint(1, 3)
    dice.shuffle(events)
    while events:
        size = dice.randint(1, 200)
        yield events[:size]
        events = events[size:]


def play(sets: list[Set], *, seed: str) -> Counter[str]:
    """Post the sets and return what was counted. Raises AssertionError for one that came out wrong."""
    from django.test import Client, override_settings  # noqa: PLC0415

    from digest.events.applying import apply_waiting  # noqa: PLC0415
    from tests.cast import NOON  # noqa: PLC0415
    from tests.digest.events.posts import SECRET, basic  # noqa: PLC0415

    dice, counted = random.Random(seed), Counter[str]()
    now = NOON + timedelta(days=1)
    ids = _written(sets)
    client, headers = Client(), {"Authorization": basic()}
    with override_settings(ANYMAIL={"WEBHOOK_SECRET": [SECRET]}, ANYMAIL_PROVIDER="sendgrid"):
        for post in posted(sets, ids, dice):
            counted += Counter(posts=1, events=len(post))
            answer = client.post(
                "/webhooks/sendgrid/tracking/",
                json.dumps(post),
                content_type="application/json",
                headers=headers,
            )
            assert answer.status_code == 200
            if dice.random() < 0.5:
                apply_waiting(at=now)
    apply_waiting(at=now)
    _compare(sets, ids, counted)
    return counted


def _written(sets: list[Set]) -> dict[tuple[int, int], str]:
    """Write readers and digests; return {(set, digest): public id}."""
    from digest.models import Delivery  # noqa: PLC0415
    from subscribers.addresses import address_hash, address_key  # noqa: PLC0415
    from subscribers.models import Subscriber  # noqa: PLC0415
    from tests.cast import NOON, a_frozen_edition  # noqa: PLC0415

    editions = [a_frozen_edition(_day(place), state="sending") for place in range(5)]
    readers = Subscriber.objects.bulk_create(
        Subscriber(
            address=(address := f"reader{one.number}@domain{one.number}.example"),
            address_key=address_key(address),
            address_hash=address_hash(address),
            status="active",
            status_at=NOON,
            created_at=NOON,
            confirmed_at=NOON,
        )
        for one in sets
    )
    rows = {
        (one.number, place): Delivery(
            edition=editions[place],
            subscriber=reader,
            address_hash=reader.address_hash,
            state=state,
            local_date=_day(place),
            not_before=NOON,
            expires_at=NOON,
            submitted_at=NOON,
            settled_at=NOON,
        )
        for one, reader in zip(sets, readers, strict=True)
        for place, (state, _told) in enumerate(one.digests)
    }
    Delivery.objects.bulk_create(rows.values(), batch_size=500)
    return {key: row.public_id for key, row in rows.items()}


def _day(place: int) -> date:
    from tests.cast import NOON  # noqa: PLC0415

    return NOON.date() - timedelta(days=4 - place)


def _compare(sets: list[Set], ids: dict[tuple[int, int], str], counted: Counter[str]) -> None:
    """Hold what became of each set against what must."""
    from digest.models import Delivery, ProviderEvent  # noqa: PLC0415
    from subscribers.models import Subscriber, Suppression  # noqa: PLC0415
    from tests.cast import NOON  # noqa: PLC0415

    assert not ProviderEvent.objects.filter(applied_at=None).exists()
    deliveries = {row.public_id: row for row in Delivery.objects.all()}
    listed = dict(Suppression.objects.values_list("address_hash", "reason"))
    readers = {row.address: row for row in Subscriber.objects.all()}
    for one in sets:
        reader, why = readers[f"reader{one.number}@domain{one.number}.example"], one.suppressed()
        assert listed.get(reader.address_hash, "") == why, one
        assert reader.status == ("suppressed" if why else "active"), one
        if not why:  # where mail has stopped for good, a pause is nothing
            last = one.paused()
            until = None if last is None else _day(last) + timedelta(days=30)
            assert reader.paused_until == until, one
            counted["paused"] += until is not None
        for place, (facts, end) in enumerate(zip(one.facts(), one.ends(), strict=True)):
            row = deliveries[ids[one.number, place]]
            for fact, minute in facts.items():
                moment = None if minute is None else NOON + timedelta(minutes=minute)
                assert getattr(row, fact) == moment, (one, fact)
            assert row.state == end, one
            worst = next((fact for fact, minute in facts.items() if minute is not None), "nothing")
            counted[worst.removesuffix("_at")] += 1
        counted.update({"sets": 1, "suppressed": bool(why)})


def rounds(many: int, seed: int) -> Iterator[tuple[list[Set], str]]:
    """Yield the sets of each round, and the seed of its order."""
    for first in range(0, many, ROUND):
        dice = random.Random(f"{seed} {first}")
        yield (
            [Set.drawn(number, dice) for number in range(first, min(first + ROUND, many))],
            f"{seed}/{first}",
        )


def main(arguments: list[str]) -> None:
    """Play all rounds in a database of the tests' own, and print what was counted."""
    import warnings  # noqa: PLC0415

    import django  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digest.settings")
    django.setup()
    from django.db import connection, transaction  # noqa: PLC0415
    from django.test.utils import setup_test_environment, teardown_test_environment  # noqa: PLC0415

    setup_test_environment()
    logging.disable(logging.ERROR)
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    counted, began = Counter[str](), time.monotonic()
    try:
        for sets, order in rounds(asked.sets, asked.seed):
            with transaction.atomic():
                counted += play(sets, seed=order)
                transaction.set_rollback(True)
            print(f"{counted['sets']:>6} sets, {time.monotonic() - began:6.0f} s", flush=True)
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
        teardown_test_environment()
    print(f"seed {asked.seed}, {connection.vendor}:", dict(counted), "all as they must be")


if __name__ == "__main__":
    main(sys.argv[1:])
