"""The broker fails in the middle of a send: nobody twice, nobody missed, and no process needs a restart."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.house import Broker, House, a_house
from tests.faults.relay import Relay

READERS, EACH = 250, 50
Fault = Callable[[], object]


class Scene:
    """One installation for all the faults; each takes the next readers."""

    def __init__(self, house: House, broker: Broker, relay: Relay, keys: list[int]) -> None:
        self.house, self.broker, self.relay = house, broker, relay
        self._keys = keys

    def in_the_middle(self, fault: Fault, recovery: Fault = lambda: None, *, seconds: float = 1) -> None:
        """Have `fault` for `seconds` while digests leave; more of them become due meanwhile.

        Then everybody has got it once, from the same processes.
        """
        mine, self._keys = self._keys[:EACH], self._keys[EACH:]
        self.house.let_go(mine[: EACH // 2])
        assert self.house.sending(mine), self.house.said("worker")[-3000:]
        fault()
        self.house.let_go(mine[EACH // 2 :])
        time.sleep(seconds)
        recovery()
        assert self.house.all_accepted(mine), self.house.states(mine)
        assert self.house.each_once(mine)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A worker and a beat that reach their broker through a relay."""
    with a_house(tmp_path_factory.mktemp("away"), pause=0.1, IN_FLIGHT="4") as (house, broker):
        relay = Relay(broker.port)
        house.environment["REDIS_URL"] = f"redis://127.0.0.1:{relay.port}/0"
        keys = house.furnish(READERS)
        processes = [*house.workers("worker"), house.beat()]
        yield Scene(house, broker, relay, keys)
        assert [process.poll() for process in processes] == [None, None], "somebody died of it"
        relay.close()


def test_a_broker_killed_and_restarted_empty(scene: Scene) -> None:
    scene.in_the_middle(scene.broker.kill, scene.broker.start)


def test_a_broker_flushed(scene: Scene) -> None:
    scene.in_the_middle(scene.broker.client.flushall)


def test_a_broker_that_takes_connections_and_never_answers(scene: Scene) -> None:
    # Longer than all the clients' timeouts.
    scene.in_the_middle(scene.broker.freeze, scene.broker.thaw, seconds=7)


def test_connections_that_went_silent_without_a_word(scene: Scene) -> None:
    # The worst of them: nothing ever tells who waits for an answer that none will come.
    scene.in_the_middle(scene.relay.forget)


def test_a_broker_that_takes_no_writes_as_in_a_failover(scene: Scene) -> None:
    client = scene.broker.client
    scene.in_the_middle(
        lambda: client.replicaof("127.0.0.1", "1"), lambda: client.replicaof("NO", "ONE"), seconds=3
    )
