"""Synthetic readers: the same ones every time, each added once."""

from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from subscribers import synthetic
from subscribers.addresses import address_hash, normalise
from subscribers.models import ConsentEvent, Interest, Preference, Subscriber, Topic
from tests.cast import NOON, a_topic

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _six_topics() -> None:
    Topic.objects.all().delete()
    for slug in ("agents", "robots", "speech", "theory", "vision", "words"):
        a_topic(slug)


def test_the_readers_asked_for_are_made() -> None:
    assert synthetic.ensure(40, at=NOON) == 40
    readers = Subscriber.objects.reachable()
    assert readers.count() == 40
    assert set(readers.values_list("frequency", flat=True)) == {Subscriber.Frequency.DAILY}
    assert readers.filter(confirmed_at=NOON - timedelta(days=30)).count() == 40
    first = readers.get(address="reader-00001@readers.example")
    assert first.address_hash == address_hash(first.address)
    assert normalise(first.address) == first.address


def test_making_them_again_adds_nobody() -> None:
    synthetic.ensure(30, at=NOON)
    assert synthetic.ensure(30, at=NOON) == 0
    assert synthetic.ensure(35, at=NOON) == 5
    assert Subscriber.objects.count() == 35
    assert Preference.objects.filter(subscriber__address=synthetic.address(1)).count() <= 5


def test_a_gap_is_filled_and_the_others_are_left_as_they_are() -> None:
    synthetic.ensure(10, at=NOON)
    Subscriber.objects.filter(address=synthetic.address(4)).delete()
    Subscriber.objects.filter(address=synthetic.address(5)).update(size=7, time_zone="Asia/Tokyo")
    assert synthetic.ensure(10, at=NOON) == 1
    left = Subscriber.objects.get(address=synthetic.address(5))
    assert (left.size, left.time_zone) == (7, "Asia/Tokyo")


def test_each_has_an_imported_consent_event() -> None:
    synthetic.ensure(12, at=NOON)
    events = ConsentEvent.objects.filter(kind=ConsentEvent.Kind.IMPORTED, source="seed")
    assert events.values("subscriber").distinct().count() == 12
    assert set(events.values_list("at", flat=True)) == {NOON - timedelta(days=30)}


def test_the_same_number_is_the_same_reader() -> None:
    assert synthetic.traits(7, [1, 2, 3]) == synthetic.traits(7, [1, 2, 3])
    assert synthetic.traits(7, [1, 2, 3]) != synthetic.traits(8, [1, 2, 3])


def test_readers_are_varied_and_every_trait_is_lawful() -> None:
    many = [synthetic.traits(number, list(range(20))) for number in range(1, 801)]
    assert {len(one.topics) for one in many} == {1, 2, 3, 4, 5}
    assert all(len({topic for topic, _ in one.topics}) == len(one.topics) for one in many)
    assert {weight for one in many for _, weight in one.topics} == {1, 2}
    assert {one.size for one in many} >= {5, 10, 25}
    assert all(5 <= one.size <= 25 and 0 <= one.send_minute < 1440 for one in many)
    assert len({one.time_zone for one in many}) >= 23
    assert all(ZoneInfo(zone) for zone in synthetic.ZONES)
    kinds = Counter(kind for one in many for kind, _ in one.interests)
    assert set(kinds) == set(Interest.Kind.values)


def test_nobody_wants_and_refuses_the_same_words() -> None:
    for number in range(1, 2_001):
        interests = synthetic.traits(number, [1]).interests
        wanted = {text for kind, text in interests if kind == Interest.Kind.WORDS}
        assert not wanted & {text for kind, text in interests if kind == Interest.Kind.EXCLUDE}


def test_topics_that_curators_put_away_are_not_followed() -> None:
    Topic.objects.exclude(slug="vision").update(active=False)
    synthetic.ensure(20, at=NOON)
    assert set(Preference.objects.values_list("topic__slug", flat=True)) == {"vision"}


def test_without_topics_it_says_so() -> None:
    Topic.objects.update(active=False)
    with pytest.raises(synthetic.NoTopicsError, match="migrate"):
        synthetic.ensure(1, at=NOON)


def test_progress_adds_up_over_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "BATCH", 7)
    steps: list[int] = []
    assert synthetic.ensure(20, at=NOON, progress=steps.append) == 20
    assert steps == [7, 7, 6]
    assert Subscriber.objects.count() == 20
