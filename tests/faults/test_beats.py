"""Five beats where one is meant: nobody notices."""

from pathlib import Path

import pytest

from tests.faults.furnish import WISHES
from tests.faults.house import a_house
from tests.processes import free_port, wait_until

READERS = 60
BEATS = ("first", "second", "third", "fourth", "fifth")
ASKED = "SELECT day, COUNT(*) FROM digest_ingestrun GROUP BY day"


@pytest.mark.postgres
def test_five_beats_are_as_good_as_one(tmp_path: Path) -> None:
    source = free_port()
    with a_house(tmp_path, TICK_SECONDS="5", HUGGINGFACE_URL=f"http://127.0.0.1:{source}") as (
        house,
        _broker,
    ):
        # A source that has nothing on any day.
        (tmp_path / "api").mkdir()
        (tmp_path / "api" / "daily_papers").write_text("[]")
        house.launch("source", "-m", "http.server", str(source), "--bind", "127.0.0.1", "-d", str(tmp_path))
        keys = house.furnish(READERS)
        house.let_go(keys)
        house.rows("UPDATE subscribers_systemmail SET not_before = %s", house.now())
        house.workers("worker")
        house.beats(*BEATS)
        assert house.all_accepted(keys)
        assert wait_until(lambda: len(house.rows(ASKED)) == 8), house.said("worker")[-2000:]
        assert house.each_once(keys)
        waiting = "SELECT COUNT(*) FROM subscribers_systemmail WHERE state <> 'sent'"
        assert wait_until(lambda: house.rows(waiting) == [(0,)])
        assert house.rows("SELECT MAX(attempts) FROM subscribers_systemmail") == [(1,)]
        assert house.rows("SELECT COUNT(*) FROM digest_edition") == [(1,)]
        assert house.mails().total() == READERS + WISHES
        assert {times for _day, times in house.rows(ASKED)} == {1}, house.rows(ASKED)
