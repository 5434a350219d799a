"""A selection of the 10,000 sets of events that `python -m tests.digest.events.shuffled` plays."""

import pytest

from tests.digest.events import shuffled

pytestmark = pytest.mark.django_db


@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailWarning")
@pytest.mark.parametrize("seed", [1, 2])
def test_sets_of_events_shuffled_and_doubled_come_to_the_state_they_must(seed: int) -> None:
    ((sets, order),) = shuffled.rounds(80, seed)
    counted = shuffled.play(sets, seed=order)
    assert counted["sets"] == 80
    assert all(counted[fact.removesuffix("_at")] > 3 for fact in shuffled.FACTS), counted
    assert counted["suppressed"] > 3
    assert counted["paused"] > 0
