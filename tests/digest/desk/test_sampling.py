"""The sample: every key with the same chance, few readers whole, many by windows."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import sampling
from subscribers.addresses import address_hash, address_key
from subscribers.models import Subscriber
from tests.cast import NOON, a_reader

START = datetime(2026, 3, 4, 6, tzinfo=UTC)


@given(st.integers(0, 10**6), st.integers(1, 5_000), st.floats(0.0001, 1), st.integers(0, 10**6))
def test_windows_lie_within_apart_and_hold_what_they_say(
    first: int, length: int, share: float, seed: int
) -> None:
    ranges, part = sampling.windows(first, first + length, share, seed)
    assert all(low < high for low, high in ranges)
    assert all(one[1] <= other[0] for one, other in pairwise(ranges))
    circle = -(-length // sampling.WINDOWS) * sampling.WINDOWS if part < 1 else length
    assert sum(high - low for low, high in ranges) == round(part * circle)
    assert ranges[0][0] >= first
    assert ranges[-1][1] <= first + circle


def test_every_key_has_the_same_chance() -> None:
    step, drawn = 10, Counter[int]()
    length = step * sampling.WINDOWS
    for seed in range(2_000):
        ranges, part = sampling.windows(0, length, 0.3, seed)
        drawn.update(key for low, high in ranges for key in range(low, high))
    assert part == 0.3
    # 2,000 draws at 0.3: a standard deviation is 20.5, and 10 places of a window are independent.
    assert min(drawn.values()) > 600 - 5 * 21
    assert max(drawn.values()) < 600 + 5 * 21
    assert len(drawn) == length


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make 3,000 readers, every third of them due on Mondays only, for a sample of 400."""
    monkeypatch.setattr(sampling, "MOST", 400)
    monkeypatch.setattr(sampling, "_MOST_LOOKED_AT", 2_000)
    monkeypatch.setattr(sampling, "WINDOWS", 20)
    addresses = [f"reader-{number}@example.org" for number in range(3_000)]
    Subscriber.objects.bulk_create(
        Subscriber(
            address=given,
            address_key=address_key(given),
            address_hash=address_hash(given),
            status=Subscriber.Status.ACTIVE,
            status_at=NOON,
            created_at=NOON,
            frequency="weekly" if number % 3 == 0 else "daily",
        )
        for number, given in enumerate(addresses)
    )
    return 2_000


@pytest.mark.django_db
def test_few_readers_are_counted_one_by_one() -> None:
    for _ in range(3):
        a_reader()
    found = sampling.due_readers(START.date(), seed=1)
    assert (len(found.readers), found.due, found.exact) == (3, 3, True)


@pytest.mark.django_db
def test_of_many_a_sample_is_taken_and_the_whole_is_estimated(many: int) -> None:
    found = sampling.due_readers(START.date(), seed=1)
    assert 0.8 * 400 <= len(found.readers) <= 400
    assert not found.exact
    assert abs(found.due - many) < 0.1 * many
    assert all(reader.frequency == "daily" for reader in found.readers)
    keys = [reader.pk for reader in found.readers]
    assert keys == sorted(set(keys))


@pytest.mark.django_db
@pytest.mark.usefixtures("many")
def test_the_same_seed_takes_the_same_readers() -> None:
    one, same, other = (sampling.due_readers(START.date(), seed=seed) for seed in (1, 1, 2))
    assert one.readers == same.readers
    assert one.readers != other.readers


@pytest.mark.django_db
@pytest.mark.usefixtures("many")
def test_gaps_between_the_keys_favour_nobody() -> None:
    keys = list(Subscriber.objects.order_by("pk").values_list("pk", flat=True))
    Subscriber.objects.filter(pk__gt=keys[499], pk__lt=keys[-1_000]).delete()
    found = sampling.due_readers(START.date(), seed=3)
    early = sum(reader.pk <= keys[499] for reader in found.readers)
    assert abs(found.due - 1_000) < 150
    assert 0.25 < early / len(found.readers) < 0.42, "a third of them are early ones"


@pytest.mark.django_db
@pytest.mark.usefixtures("many")
def test_where_few_are_due_the_sample_stays_small_rather_than_all_are_looked_at() -> None:
    Subscriber.objects.update(frequency="weekly")
    found = sampling.due_readers(START.date(), seed=1)
    assert found.readers == []
