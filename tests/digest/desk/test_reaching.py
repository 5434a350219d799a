"""Who would get what: the figures of a small house, reckoned by hand, and when they are reckoned."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from digest import curation, reaching
from digest.models import Candidate, Delivery, Edition, EditionReach, Paper
from digest.tasks import reckon
from subscribers.models import Interest, Subscriber, Suppression
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic

pytestmark = pytest.mark.django_db
WEDNESDAY = date(2026, 3, 4)
DAY = timedelta(days=1)
SOON = timedelta(seconds=30)


@dataclass
class House:
    """An edition of four papers: two of vision (one of them of robots, too), one of robots, one noticed."""

    edition: Edition
    eyes: Paper
    hands: Paper
    both: Paper
    noticed: Paper

    def reckoned(self) -> EditionReach:
        self.edition.refresh_from_db()
        return reaching.reckon(self.edition, at=NOON)

    def counts(self, papers: dict[str, int]) -> dict[str, int]:
        names = {paper.pk: paper.title for paper in (self.eyes, self.hands, self.both, self.noticed)}
        return {names[int(key)]: count for key, count in papers.items()}


@pytest.fixture
def house() -> House:
    sight, robots = a_topic("sight"), a_topic("robots")
    eyes, both = a_paper("Eyes", sight), a_paper("Both", sight, robots)
    hands, noticed = a_paper("Hands", robots), a_paper("Noticed", upvotes=50)
    edition = a_frozen_edition(WEDNESDAY, eyes, both, hands, noticed, state=Edition.State.FROZEN)
    for _ in range(3):
        a_reader("", sight)
    for _ in range(2):
        a_reader("", robots)
    return House(edition, eyes=eyes, hands=hands, both=both, noticed=noticed)


def test_each_paper_is_counted_for_those_who_get_it(house: House) -> None:
    reach = house.reckoned()
    # All five follow something; what is noticed fills everybody's digest.
    assert house.counts(reach.papers) == {"Eyes": 3, "Both": 5, "Hands": 2, "Noticed": 5}
    assert (reach.readers, reach.sample, reach.nothing, reach.at) == (5, 5, {}, NOON)


def test_a_pin_brings_a_paper_to_all_and_the_figures_say_who_would_have_got_it_anyway(house: House) -> None:
    curation.pin(house.edition, house.hands)
    reach = house.reckoned()
    assert house.counts(reach.papers)["Hands"] == 5
    assert house.counts(reach.unpinned)["Hands"] == 2
    assert reach.revision == 1


def test_a_pin_that_pushes_another_paper_out_shows_in_both_columns(house: House) -> None:
    Subscriber.objects.update(size=5)
    sight = a_topic("sight")
    more = [a_paper(f"More {number}", sight) for number in range(4)]
    Candidate.objects.bulk_create(
        Candidate(edition=house.edition, paper=paper, featured_on=WEDNESDAY) for paper in more
    )
    before = house.reckoned().papers
    curation.pin(house.edition, house.noticed)
    after = house.reckoned()
    assert after.unpinned == before
    # Six papers of sight for five places: with the pin there are four left.
    assert sum(after.papers.values()) == sum(before.values())
    assert after.papers[str(house.noticed.pk)] == 5
    assert before[str(house.noticed.pk)] == 2


def test_who_is_not_due_is_not_counted(house: House) -> None:
    a_reader(frequency="weekly", weekday=0)
    a_reader(frequency="weekly", weekday=2)  # a Wednesday: due
    a_reader(paused_until=WEDNESDAY + 9 * DAY)
    a_reader(paused_until=WEDNESDAY)  # back on the very day
    a_reader(status=Subscriber.Status.PENDING)
    listed = a_reader()
    Suppression.objects.create(
        address_hash=listed.address_hash, reason=Suppression.Reason.REQUEST, source="admin", at=NOON
    )
    # At seven in the evening in Honolulu it is Wednesday's edition on Tuesday's date still.
    a_reader(time_zone="Pacific/Honolulu", send_minute=21 * 60, frequency="weekly", weekday=1)
    assert house.reckoned().readers == 5 + 3


def test_the_reasons_for_nothing_are_told_apart(house: House) -> None:
    Subscriber.objects.all().delete()
    house.edition.candidates.update(upvotes=0)
    everything = [house.eyes, house.hands, house.both, house.noticed]
    had = a_reader("had@example.org")
    yesterday = a_frozen_edition(WEDNESDAY - DAY, *everything, state=Edition.State.SENT)
    Delivery.objects.create(
        edition=yesterday,
        subscriber=had,
        address_hash=had.address_hash,
        local_date=yesterday.day,
        not_before=NOON - DAY,
        expires_at=NOON,
        state=Delivery.State.ACCEPTED,
        picks=[[paper.pk, "new"] for paper in everything],
    )
    picky = a_reader("picky@example.org")
    Interest.objects.create(subscriber=picky, kind=Interest.Kind.EXCLUDE, text="Ada Example")
    a_reader("else@example.org", a_topic("speech"))
    assert house.reckoned().nothing == {"seen": 1, "excluded": 1, "unmoved": 1}


def test_an_edition_whose_papers_are_all_hidden_reaches_nobody(house: House) -> None:
    house.edition.candidates.update(hidden=True)
    reach = house.reckoned()
    assert reach.nothing == {"empty": 5}
    assert reach.papers == {}


@pytest.mark.usefixtures("house")
def test_a_fresh_edition_is_reckoned_by_the_next_beat_and_then_left_alone() -> None:
    assert reaching.reckon_due(at=NOON)
    assert EditionReach.objects.get().at == NOON
    assert not reaching.reckon_due(at=NOON + SOON)


def test_a_decision_makes_it_reckoned_again_once_it_has_been_quiet(house: House) -> None:
    reaching.reckon_due(at=NOON)
    curation.pin(house.edition, house.eyes)
    assert not reaching.reckon_due(at=NOON + timedelta(seconds=5))
    assert reaching.reckon_due(at=NOON + SOON)
    reach = EditionReach.objects.get()
    house.edition.refresh_from_db()
    assert not reaching.is_stale(reach, house.edition)


def test_two_workers_do_not_reckon_the_same_edition(house: House) -> None:
    EditionReach.objects.create(edition=house.edition, lease_until=NOON + timedelta(seconds=1))
    assert not reaching.reckon_due(at=NOON)
    assert reaching.reckon_due(at=NOON + SOON), "the lease of a dead worker ends"


def test_while_one_edition_is_reckoned_the_other_one_is_not_kept_waiting(house: House) -> None:
    other = a_frozen_edition(WEDNESDAY - DAY, a_paper(), state=Edition.State.FROZEN)
    EditionReach.objects.create(edition=house.edition, lease_until=NOON + timedelta(seconds=1))
    assert reaching.reckon_due(at=NOON)
    assert EditionReach.objects.exclude(at=None).get().edition == other


def test_a_worker_that_comes_late_does_not_write_over_a_newer_revision(house: House) -> None:
    EditionReach.objects.create(edition=house.edition, revision=4, readers=77, at=NOON)
    reaching.reckon(house.edition, at=NOON)
    assert EditionReach.objects.get().readers == 77


@pytest.mark.usefixtures("house")
def test_a_topic_matched_anew_makes_it_reckoned_again() -> None:
    reaching.reckon_due(at=NOON)
    a_topic("sight", matched_at=NOON + timedelta(seconds=1))
    assert reaching.reckon_due(at=NOON + SOON)


@pytest.mark.parametrize("state", [Edition.State.OPEN, Edition.State.CANCELLED, Edition.State.EMPTY])
@pytest.mark.usefixtures("house")
def test_what_reaches_nobody_is_not_reckoned(state: str) -> None:
    Edition.objects.update(state=state)
    assert not reaching.reckon_due(at=NOON)


@pytest.mark.usefixtures("house")
def test_what_left_before_anybody_could_look_is_reckoned_once() -> None:
    Edition.objects.update(state=Edition.State.SENT, closed_at=NOON)
    assert reaching.reckon_due(at=NOON)
    Edition.objects.update(revision=3)
    assert not reaching.reckon_due(at=NOON + SOON)


def test_the_task_finds_it_by_the_rows(house: House) -> None:
    Edition.objects.exclude(pk=house.edition.pk).delete()
    reckon()
    assert EditionReach.objects.get().sample == 5


def test_a_sample_is_told_no_finer_than_it_knows() -> None:
    reach = EditionReach(readers=1_000_000, sample=5_000)
    assert reaching.about(reach, 1_234) == 250_000
    assert reaching.about(reach, 1) == 200
    assert reaching.about(EditionReach(readers=80, sample=80), 33) == 33
    assert reaching.about(EditionReach(), 0) == 0
