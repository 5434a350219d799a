"""Every message of a task may come several times and in any order: nothing happens twice."""

from pathlib import Path

import pytest

from tests.faults import storm
from tests.faults.furnish import WISHES
from tests.faults.house import a_house
from tests.faults.storm_side import IMPORTED, LEAVING

READERS, MESSAGES = 400, 600


@pytest.mark.postgres
def test_a_storm_of_doubled_and_shuffled_messages_has_each_effect_once(tmp_path: Path) -> None:
    with a_house(tmp_path) as (house, broker):
        found = storm.rage(house, broker, count=MESSAGES, readers=READERS, seed=7)
    assert found.states == {"accepted": READERS}
    assert (found.digests, found.digests_twice) == (READERS, 0)
    assert (found.system_mails, found.system_mails_twice, found.attempts) == (WISHES, 0, 1)
    assert (found.left, found.left_events) == (LEAVING, LEAVING)
    assert (found.imported, found.imported_events) == (IMPORTED, IMPORTED)
    assert found.editions == 1
    assert found.tracebacks == 0
