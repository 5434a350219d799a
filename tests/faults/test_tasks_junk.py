"""What comes out of the queue is anybody's: a worker lives through it and goes on with its own tasks."""

import json
from pathlib import Path

import pytest

from tests.faults.house import LONG, a_house
from tests.processes import wait_until

BEHIND = {"correlation_id": "1", "reply_to": "1", "delivery_mode": 2, "delivery_tag": "1", "priority": 0}
INFO = {"exchange": "", "routing_key": "celery"}


def envelope(body: str, *, kind: str = "application/json", **headers: object) -> str:
    """Return a message as kombu writes it into the list."""
    properties = {**BEHIND, "delivery_info": INFO}
    return json.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": kind,
            "headers": headers,
            "properties": properties,
        }
    )


JUNK = {
    "no task of ours": envelope("[[], {}, {}]", task="nobody.knows.it", id="1"),
    "no task at all": envelope("[[], {}, {}]"),
    "a body that is no JSON": envelope("{", task="digest.tasks.tick", id="2"),
    "a pickle": envelope(
        "gASVCAAAAAAAAACMBGp1bmuULg==", kind="application/x-python-serialize", task="digest.tasks.tick"
    ),
    "arguments of another version": envelope('[["a", "b"], {"c": 1}, {}]', task="digest.tasks.tick", id="3"),
    "a date that is none": envelope(
        '[["huggingface", "2026-02-30", "x"], {}, {}]', task="digest.tasks.ingest", id="4"
    ),
    "an expiry that is none": envelope("[[], {}, {}]", task="digest.tasks.tick", id="5", expires="soon"),
}


@pytest.mark.postgres
def test_a_worker_lives_through_messages_that_make_no_sense(tmp_path: Path) -> None:
    with a_house(tmp_path) as (house, broker):
        keys = house.furnish(20)
        (worker,) = house.workers("worker", concurrency=1)
        house.let_go(keys)
        with broker.client as client:
            for junk in JUNK.values():
                client.lpush("celery", junk)
            house.send("digest.tasks.deliver")
            assert house.all_accepted(keys, LONG), house.said("worker")[-2000:]
            assert wait_until(lambda: client.llen("celery") == 0)
        assert worker.poll() is None
        assert house.each_once(keys)
