"""A working day at the desk: editions of a week, their kept figures, receipts, readers who came and went."""

from datetime import date, datetime, timedelta
from typing import Any

from digest import figures
from digest.models import Delivery, Edition, EditionFigures, IngestRun
from subscribers.consent import Trace, record
from subscribers.models import ConsentEvent, Subscriber, SystemMail, Topic
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic, appeared

TODAY = NOON.date()
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ROLES = ("curator", "operator", "owner")


def counted(
    edition: Edition,
    *,
    facts: dict[str, int] | None = None,
    enrolled: int | None = None,
    at: datetime = NOON,
    **states: int,
) -> EditionFigures:
    """Keep figures of `edition`, as the count of its deliveries would."""
    total = sum(states.values()) if enrolled is None else enrolled
    Edition.objects.filter(pk=edition.pk).update(enrolled=total)
    return EditionFigures.objects.create(
        edition=edition, states=states, facts=facts or {}, enrolled=total, at=at
    )


def answered(source: str, category: str = "", day: date = TODAY, **fields: Any) -> IngestRun:
    """Write a receipt of an hour ago."""
    told = {
        "state": IngestRun.State.COMPLETE,
        "announced": 212,
        "new": 200,
        "unchanged": 12,
        "started_at": NOON - HOUR,
        "finished_at": NOON,
    }
    return IngestRun.objects.create(source=source, category=category, day=day, **{**told, **fields})


def a_delivery(edition: Edition, reader: Subscriber, **fields: Any) -> Delivery:
    """Return a delivery that is due since an hour."""
    made = {
        "local_date": edition.day,
        "not_before": NOON - HOUR,
        "expires_at": NOON + 11 * HOUR,
        "address_hash": reader.address_hash,
    }
    return Delivery.objects.create(edition=edition, subscriber=reader, **{**made, **fields})


def a_working_day(*, editions: int = 5, readers: int = 6, topics: int = 3) -> Edition:
    """Furnish the house and return today's edition, which is being sent."""
    paper = a_paper("The paper of the day", a_topic("vision"))
    appeared(paper, TODAY)
    for number in range(editions):
        past = a_frozen_edition(
            TODAY - (number + 1) * DAY, a_paper(), state=Edition.State.SENT, approved_at=NOON, closed_at=NOON
        )
        counted(past, facts={"delivered": 980, "bounced": 4}, accepted=990, unknown=2, skipped_paused=8)
    today = a_frozen_edition(TODAY, paper, state=Edition.State.SENDING, approved_at=NOON - 6 * HOUR)
    counted(today, accepted=3, ready=3)
    for number in range(topics):
        a_topic(f"topic-{number}")
    for number in reversed(range(readers)):  # who came first is written down first
        reader = a_reader("", *Topic.objects.filter(slug__in=["vision", f"topic-{number % topics}"]))
        record(reader, ConsentEvent.Kind.CONFIRMED, Trace("confirm link"), at=NOON - (number % 30) * DAY)
        a_delivery(today, reader, state=Delivery.State.ACCEPTED if number % 2 else Delivery.State.READY)
    SystemMail.objects.create(
        subscriber=reader, kind="confirm", created_at=NOON - HOUR, not_before=NOON - timedelta(minutes=7)
    )
    answered("huggingface", announced=40, new=40, unchanged=0)
    answered("arxiv", "cs.LG")
    answered("arxiv", "cs.AI", state=IngestRun.State.FAILED, error="arXiv did not answer within 30 s.")
    figures.keep(at=NOON)
    return today
