"""PostgreSQL crashes, or cuts everybody off, at the worst moments: each reader still gets one mail."""

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.faults.cluster import Cluster
from tests.faults.house import LONG, Broker, House
from tests.faults.postgres_wire import Wire, begins, claims, settles

pytestmark = pytest.mark.postgres

EACH = 60
MOMENTS = [claims, begins, settles]
FAULTS = [Cluster.crash, Cluster.cut_everybody_off]


class Scene:
    """Two workers and a beat that reach a PostgreSQL of their own over a wire that tells what they commit."""

    def __init__(self, house: House, cluster: Cluster, wire: Wire) -> None:
        self.house, self.cluster, self.wire = house, cluster, wire
        self._keys = house.furnish(EACH * len(MOMENTS) * len(FAULTS))

    def next_readers(self) -> list[int]:
        mine, self._keys = self._keys[:EACH], self._keys[EACH:]
        return mine


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("restarts")
    broker = Broker(folder)
    with Cluster() as cluster, Wire("127.0.0.1", cluster.port) as wire:
        house = House(folder, cluster.url, f"redis://127.0.0.1:{broker.port}/0", IN_FLIGHT="6")
        try:
            broker.start()
            house.sink(pause=0.02)
            found = Scene(house, cluster, wire)
            house.environment["DATABASE_URL"] = cluster.url_at(wire.port)
            processes = [*house.workers("one", "two", concurrency=1), house.beat()]
            yield found
            assert [process.poll() for process in processes] == [None] * 3, "somebody died of it"
        finally:
            house.close()
            broker.stop()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_each_reader_gets_one_mail_and_the_workers_go_on(
    scene: Scene, moment: Callable[[bytes], bool], fault: Callable[[Cluster], None]
) -> None:
    mine = scene.next_readers()
    over = threading.Event()

    def happen() -> None:
        fault(scene.cluster)
        over.set()

    scene.wire.before_commit(moment, happen)
    scene.house.let_go(mine)
    assert over.wait(LONG), scene.house.said("one")[-3000:]
    assert scene.house.all_accepted(mine, 2 * LONG), scene.house.states(mine)
    assert scene.house.each_once(mine)
