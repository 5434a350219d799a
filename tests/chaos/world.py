"""The world of a run: 500 readers who get today's edition, some who do not, twelve papers, three tomorrow.

Digests have room for all of them, so that what comes back after an unknown delivery always fits.
"""

import random
from datetime import datetime, timedelta

from django.utils import timezone

from digest import editions, ingestion
from digest.asking import HUGGINGFACE_DAYS
from digest.matching import strings
from digest.models import Appearance, Delivery, Edition, IngestRun, Paper
from digest.schedule import clock
from subscribers.addresses import address_hash, address_key
from subscribers.models import Preference, Subscriber, Suppression, Topic

READERS = 500
OTHERS = ("unsubscribed", "pending", "suppressed", "paused", "weekly")
DOMAIN = "readers.example"
_ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney")
#: Numbers of papers.
_TODAY, _TOMORROW = range(1, 13), range(13, 16)


def reader(number: int) -> str:
    """Return the address of the reader `number`, from 1."""
    return f"reader-{number:03d}@{DOMAIN}"


def eligible() -> set[str]:
    """Return the addresses of those who are to get the edition."""
    return {reader(number) for number in range(1, READERS + 1)}


def fill() -> None:
    """Write readers and today's papers into an empty, migrated database."""
    at = timezone.now()
    topics = list(Topic.objects.filter(active=True).order_by("pk"))
    people = [*eligible(), *(f"{kind}-{number}@{DOMAIN}" for kind in OTHERS for number in range(8))]
    # Whoever gets nothing stands between the others.
    random.Random(7).shuffle(people)
    readers = Subscriber.objects.bulk_create(_reader(address, at) for address in people)
    dice = random.Random(8)
    Preference.objects.bulk_create(
        Preference(subscriber=one, topic=topic, weight=dice.choice((1, 1, 2)))
        for one in readers
        for topic in dice.sample(topics, dice.randint(1, 4))
    )
    Suppression.objects.bulk_create(
        Suppression(address_hash=one.address_hash, reason="complaint", source="before", at=at)
        for one in readers
        if one.address.startswith("suppressed")
    )
    _papers(_TODAY, topics, at)
    days = [at.date() - timedelta(days=back) for back in range(-1, HUGGINGFACE_DAYS + 2)]
    IngestRun.objects.bulk_create(
        IngestRun(source="huggingface", day=day, state="complete", started_at=at, finished_at=at)
        for day in days
    )


def _reader(address: str, at: datetime) -> Subscriber:
    """Return a reader whose hour today is within an hour of the freeze, by the clock of their own zone."""
    dice = random.Random(address)
    zone = dice.choice(_ZONES)
    frozen = editions.freeze_moment(editions.edition_day(at))
    local = (frozen + timedelta(minutes=dice.randrange(60))).astimezone(clock(zone))
    kind = address.partition("-")[0]
    status = {"unsubscribed": "unsubscribed", "pending": "pending"}.get(kind, "active")
    long_ago = at - timedelta(days=10)
    return Subscriber(
        address=address,
        address_key=address_key(address),
        address_hash=address_hash(address),
        status=status,
        status_at=long_ago,
        created_at=long_ago,
        confirmed_at=None if status == "pending" else long_ago,
        time_zone=zone,
        send_minute=local.hour * 60 + local.minute,
        frequency="weekly" if kind == "weekly" else "daily",
        weekday=(local.weekday() + 3) % 7,
        size=dice.randint(16, 25),
        paused_until=(at + timedelta(days=20)).date() if kind == "paused" else None,
    )


def _papers(numbers: range, topics: list[Topic], at: datetime, *, later: timedelta = timedelta()) -> None:
    """Store papers that speak of four topics each, and match them: workers match them no other way later."""
    for number in numbers:
        dice = random.Random(number)
        spoken_of = [strings(topic.include)[0] for topic in dice.sample(topics, 4) if strings(topic.include)]
        arxiv_id = f"2603.{number:05d}"
        paper = Paper.objects.create(
            identity=arxiv_id,
            arxiv_id=arxiv_id,
            title=f"On question {number} of {dice.choice(('vision', 'speech', 'planning', 'proteins'))}",
            abstract=f"We study {', '.join(spoken_of)}. " + f"Question {number} is answered with care. " * 12,
            authors=["Ada Example", "Ben Sample"],
            categories=["cs.LG"],
            primary_category="cs.LG",
            # Some are for those who follow their topic alone; some are for everybody.
            upvotes=dice.choice((0, 0, 1, 30, 80)) if number not in {1, *_TOMORROW} else 90,
            published_at=at - timedelta(days=2),
            stored_at=at,
        )
        Appearance.objects.create(paper=paper, source="huggingface", day=editions.edition_day(at + later))
    ingestion.rematch()
    Topic.objects.update(matched_at=at)


def freeze() -> None:
    """Freeze and approve today's edition."""
    at = timezone.now()
    edition = editions.open_edition(editions.edition_day(at), at=at)
    editions.approve(editions.freeze(edition, at=at), at=at)


def new_day(at: datetime) -> set[str]:
    """Let the papers of the day of `at`, tomorrow, appear; return their arXiv ids."""
    now = timezone.now()
    _papers(_TOMORROW, list(Topic.objects.filter(active=True).order_by("pk")), now, later=at - now)
    return {f"2603.{number:05d}" for number in _TOMORROW}


def sources_answered() -> None:
    """Let the sources have been asked just now, so that no worker asks them."""
    IngestRun.objects.update(started_at=timezone.now(), finished_at=timezone.now())


def edition_of(at: datetime) -> Edition | None:
    """Return the edition of the day of `at`, if it is there."""
    return Edition.objects.filter(day=editions.edition_day(at)).first()


def is_over(edition: Edition | None) -> bool:
    """Say whether everybody was enrolled and nothing is left to do for anybody."""
    return (
        edition is not None
        and edition.state in {Edition.State.SENDING, Edition.State.SENT}
        and not Delivery.objects.open().exists()
    )
