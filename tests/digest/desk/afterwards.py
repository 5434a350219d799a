"""An edition that has left, with all that can be heard of it."""

from datetime import date, timedelta

from digest import progress, reasons
from digest.models import Candidate, Click, Delivery, Edition, EditionReach
from subscribers.models import Subscriber
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TODAY = NOON.date()


def a_delivery(edition: Edition, reader: Subscriber, papers: list[int], **fields: object) -> Delivery:
    """Return an accepted delivery of `papers`; the first is there as a pin."""
    picks = [
        [paper, reasons.PINNED if place == 0 else "you follow Vision"] for place, paper in enumerate(papers)
    ]
    defaults: dict[str, object] = {
        "state": Delivery.State.ACCEPTED,
        "address_hash": reader.address_hash,
        "local_date": edition.day,
        "not_before": NOON,
        "expires_at": NOON + 12 * HOUR,
        "submitted_at": NOON,
        "settled_at": NOON,
        "picks": picks,
    }
    return Delivery.objects.create(edition=edition, subscriber=reader, **{**defaults, **fields})


def follow(
    delivery: Delivery, paper: int, *, after: timedelta = HOUR, link: str = "title", robot: str = ""
) -> None:
    """Write that a link of `delivery` was followed."""
    Click.objects.create(delivery=delivery, paper_id=paper, link=link, robot=robot, at=NOON + after)


def an_edition_that_left(day: date = TODAY, readers: int = 40) -> Edition:
    """Return an edition of eight papers, one pinned, that `readers` got; a quarter agreed to count clicks."""
    titles = [
        "Splats that remember: persistent radiance fields",
        "A proof assistant that asks back",
        "Grasping what cannot be seen",
        "Small models, long contexts",
        "Diffusion without the wait",
        "What a benchmark does not measure: a study of nine hundred leaderboards and of their half-life",
        "Robots that fold laundry twice",
        "Speech in the rain",
    ]
    papers = [a_paper(title) for title in titles]
    edition = a_frozen_edition(day, *papers, state=Edition.State.SENT, approved_at=NOON, enrolled=readers)
    Candidate.objects.filter(edition=edition, paper=papers[0]).update(pin=1)
    for number in range(readers):
        left = NOON + (number % 5) * HOUR + number * MINUTE
        chosen = [papers[0].pk, *(papers[1 + (number * step) % 7].pk for step in (1, 2, 3))]
        agreed = number % 4 == 0
        delivery = a_delivery(
            edition,
            a_reader(),
            list(dict.fromkeys(chosen)),
            settled_at=left,
            submitted_at=left,
            delivered_at=None if number in {7, 9} else left + 4 * MINUTE,
            bounced_at=left + 2 * MINUTE if number == 7 else None,
            soft_bounced_at=left + MINUTE if number in {9, 10} else None,
            complained_at=left + 3 * HOUR if number == 3 else None,
            left_at=left + 2 * HOUR if number == 5 else None,
            clicks_counted=agreed,
        )
        if agreed and number % 8 == 0:
            follow(delivery, papers[0].pk)
        if number == 4:  # only a scanner came, and looked at everything
            for place, paper in enumerate(chosen):
                follow(delivery, paper, after=HOUR + place * timedelta(seconds=0.2))
    EditionReach.objects.create(
        edition=edition,
        readers=readers,
        sample=20,
        papers={papers[0].pk: 20},
        unpinned={papers[0].pk: 5},
        at=NOON,
    )
    progress.keep(edition, at=NOON + 5 * HOUR)
    return edition
