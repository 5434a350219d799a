"""`lifecycle`'s second file: readers who agreed elsewhere and come in by an import, many at a time.

Together with `lifecycle` the sole writer of `Subscriber.status`. The caller holds the transaction and has
seen that none of these addresses is here, suppressed, or has left before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from subscribers.models import ConsentEvent, ImportJob, Interest, Preference, Subscriber, Suppression


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A reader to be: the unsaved row, the topics' ids, their own words, and when they agreed, if known."""

    reader: Subscriber
    topics: Sequence[int]
    words: Sequence[str]
    agreed_at: datetime | None


def admit_imported(newcomers: Sequence[Newcomer], job: ImportJob, *, at: datetime) -> None:
    """Make them active readers, each with the proof of consent that `job` states.

    `confirmed_at` stays empty, since nobody confirmed anything here: so no welcome leaves at once, and the
    first digest is the next edition's. Raises IntegrityError if one of them is here after all.
    """
    for newcomer in newcomers:
        newcomer.reader.status = Subscriber.Status.ACTIVE
        newcomer.reader.status_at = at
        newcomer.reader.created_at = newcomer.agreed_at or at
    Subscriber.objects.bulk_create([newcomer.reader for newcomer in newcomers])
    Preference.objects.bulk_create(
        Preference(subscriber=newcomer.reader, topic_id=topic)
        for newcomer in newcomers
        for topic in newcomer.topics
    )
    Interest.objects.bulk_create(
        Interest(subscriber=newcomer.reader, kind=Interest.Kind.WORDS, text=text)
        for newcomer in newcomers
        for text in newcomer.words
    )
    ConsentEvent.objects.bulk_create(
        ConsentEvent(
            subscriber=newcomer.reader,
            address_hash=newcomer.reader.address_hash,
            kind=ConsentEvent.Kind.IMPORTED,
            source="import",
            import_job=job,
            at=newcomer.agreed_at or at,
        )
        for newcomer in newcomers
    )


def suppress_imported(
    hashes: Iterable[tuple[str, Suppression.Reason]], job: ImportJob, *, at: datetime
) -> None:
    """Put addresses that no reader here has on the suppression list; what stands there already stays."""
    Suppression.objects.bulk_create(
        (
            Suppression(address_hash=hashed, reason=reason, source=f"import {job.pk}", at=at)
            for hashed, reason in hashes
        ),
        ignore_conflicts=True,
    )
