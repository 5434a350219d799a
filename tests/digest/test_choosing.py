"""What readers saw, and from where on editions are new to them."""

from datetime import date, timedelta

import pytest

from digest.delivery.choosing import REMEMBER, Desk
from digest.models import Delivery, Edition, Paper
from subscribers.models import Subscriber
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 3, 4)
DAY = timedelta(days=1)
State = Delivery.State


@pytest.fixture
def papers() -> list[Paper]:
    return [a_paper(f"Number {n}", upvotes=9 - n) for n in range(8)]


def got(reader: Subscriber, edition: Edition, *papers: Paper, state: str = State.ACCEPTED) -> None:
    Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=edition.day,
        not_before=NOON,
        expires_at=NOON + DAY,
        state=state,
        picks=[[paper.pk, "new"] for paper in papers],
    )


def titles(edition: Edition, reader: Subscriber) -> list[str]:
    (picks,) = Desk.of(edition).choose([reader], at=NOON)
    return [Paper.objects.get(pk=pick.paper_id).title for pick in picks]


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        (State.ACCEPTED, True),
        (State.SUBMITTING, True),
        (State.UNKNOWN, True),
        (State.REJECTED, False),
        (State.EXPIRED, False),
        (State.DEFERRED, False),
    ],
)
def test_what_may_have_arrived_is_not_shown_again(papers: list[Paper], state: str, seen: bool) -> None:
    reader = a_reader(size=25)
    got(reader, a_frozen_edition(WEDNESDAY - DAY, *papers[:2]), papers[0], state=state)
    today = a_frozen_edition(WEDNESDAY, *papers[:3])
    assert ("Number 0" not in titles(today, reader)) is seen


def test_an_unknown_delivery_that_is_closed_gives_its_papers_back(papers: list[Paper]) -> None:
    reader = a_reader(size=25)
    got(reader, a_frozen_edition(WEDNESDAY - DAY, *papers[:2]), papers[0], state=State.UNKNOWN)
    Delivery.objects.update(expires_at=NOON)
    assert "Number 0" in titles(a_frozen_edition(WEDNESDAY, papers[5]), reader)


def test_a_paper_featured_again_weeks_later_is_remembered(papers: list[Paper]) -> None:
    reader = a_reader(size=25)
    got(reader, a_frozen_edition(WEDNESDAY - 60 * DAY, papers[0]), papers[0])
    assert titles(a_frozen_edition(WEDNESDAY, *papers[:2]), reader) == ["Number 1"]


def test_after_ninety_days_it_may_come_again(papers: list[Paper]) -> None:
    reader = a_reader(size=25)
    got(reader, a_frozen_edition(WEDNESDAY - REMEMBER - DAY, papers[0]), papers[0])
    assert titles(a_frozen_edition(WEDNESDAY, papers[0]), reader) == ["Number 0"]


def test_who_was_enrolled_but_never_got_one_starts_where_they_were_enrolled(papers: list[Paper]) -> None:
    reader = a_reader(size=25)
    a_frozen_edition(WEDNESDAY - 3 * DAY, papers[0])
    got(reader, a_frozen_edition(WEDNESDAY - 2 * DAY, papers[1]), state=State.EXPIRED)
    a_frozen_edition(WEDNESDAY - DAY, papers[2])
    assert set(titles(a_frozen_edition(WEDNESDAY, papers[3]), reader)) == {"Number 1", "Number 2", "Number 3"}


def test_readers_of_one_batch_do_not_share_their_past(papers: list[Paper]) -> None:
    old, new = a_reader(size=25), a_reader(size=25)
    got(old, a_frozen_edition(WEDNESDAY - DAY, *papers[:2]), papers[0])
    desk = Desk.of(a_frozen_edition(WEDNESDAY, *papers[:3]))
    of_old, of_new = desk.choose([old, new], at=NOON)
    assert {pick.paper_id for pick in of_new} - {pick.paper_id for pick in of_old} == {papers[0].pk}
