"""Figures for Prometheus, read from the database when they are asked for: all processes write there.

None counts a large table, none names a reader. What only grows ends in `_total`; the rest stands so now.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from digest import guarding, progress, queues
from digest.models import (
    DailyFigures,
    Delivery,
    Edition,
    EditionFigures,
    Guard,
    IngestRun,
    ProviderEvent,
)
from subscribers.models import Suppression, SystemMail

#: What waits is counted up to here: so many, or more.
MOST = 20_000
#: Editions that moved within this time are told one by one.
LATELY = timedelta(days=2)
#: The span of bounces and complaints, and of the receipts of sources.
WEEK, DAY = timedelta(days=7), timedelta(days=1)
_State = Delivery.State
#: {outcome: the states it is told for}.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "accepted": (_State.ACCEPTED,),
    "rejected": (_State.REJECTED,),
    "unknown": (_State.UNKNOWN,),
    "skipped": Delivery.SKIPPED,
    "expired": (_State.EXPIRED,),
    "cancelled": (_State.CANCELLED,),
}


def text() -> bytes:
    """Return all figures in Prometheus' text format. Raises DatabaseError."""
    registry = CollectorRegistry()
    registry.register(Figures(timezone.now()))
    return generate_latest(registry)


class Figures:
    """A collector of prometheus_client that asks the database once."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def describe(self) -> list[Metric]:
        """Return nothing: else registering would ask the database, too."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        yield from self._editions()
        yield from self._totals()
        yield from self._waiting()
        yield from self._sources()
        yield from self._readers()
        yield from self._guard()

    def _editions(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("paperboy_editions", "Editions by state.", labels=["state"])
        counted = Edition.objects.order_by().values_list("state").annotate(Count("pk"))
        many = dict(counted)
        for state in Edition.State:
            states.add_metric([str(state)], many.get(state, 0))
        yield states
        rows = GaugeMetricFamily(
            "paperboy_deliveries",
            "Digests of editions under way or just over, by state, as last counted.",
            labels=["edition", "state"],
        )
        late = GaugeMetricFamily("paperboy_figures_age_seconds", "Age of that count.", labels=["edition"])
        moving = Q(edition__state__in=progress.MOVING) | Q(edition__closed_at__gt=self._at - LATELY)
        for kept in EditionFigures.objects.filter(moving).select_related("edition").order_by("edition__day"):
            day = kept.edition.day.isoformat()
            late.add_metric([day], (self._at - kept.at).total_seconds())
            for one in Delivery.State:
                rows.add_metric([day, str(one)], kept.states.get(one, 0))
        yield rows
        yield late

    def _totals(self) -> Iterator[Metric]:
        peaks: Counter[str] = Counter()
        lately: Counter[str] = Counter()
        since = (self._at - WEEK).date()
        for day, states, facts, highest in EditionFigures.objects.values_list(
            "edition__day", "states", "facts", "peaks"
        ):
            peaks.update(highest if highest is not None else states)
            if day > since:
                lately.update({**facts, "accepted": states.get(_State.ACCEPTED, 0)})
        outcomes = CounterMetricFamily(
            "paperboy_outcomes",
            "Digests that ever ended so; what is settled later stays counted.",
            labels=["outcome"],
        )
        for outcome, states in OUTCOMES.items():
            outcomes.add_metric([outcome], sum(peaks[state] for state in states))
        yield outcomes
        yield GaugeMetricFamily(
            "paperboy_accepted_7d", "Accepted digests of the editions of 7 days.", lately["accepted"]
        )
        heard = GaugeMetricFamily(
            "paperboy_heard_7d", "Of those: what was heard of them afterwards.", labels=["fact"]
        )
        for fact in ("delivered", "bounced", "soft_bounced", "complained", "left"):
            heard.add_metric([fact], lately[fact])
        yield heard

    def _waiting(self) -> Iterator[Metric]:
        due, mail = queues.oldest_digest(self._at), queues.oldest_mail(self._at)
        yield self._age("paperboy_oldest_due_seconds", "How long the oldest due digest has waited.", due)
        yield self._age(
            "paperboy_oldest_mail_seconds", "How long the oldest due mail of the house has.", mail
        )
        waits = SystemMail.objects.filter(state__in=(SystemMail.State.WAITING, SystemMail.State.CLAIMED))
        yield _gauge(
            "paperboy_outbox_waiting", f"Mails of the house that wait; {MOST} is so many or more.", waits
        )
        events = ProviderEvent.objects.filter(applied_at=None)
        yield _gauge("paperboy_events_waiting", f"Providers' events not applied yet; {MOST} or more.", events)

    def _age(self, name: str, help_text: str, since: datetime | None) -> Metric:
        return GaugeMetricFamily(name, help_text, (self._at - since).total_seconds() if since else 0)

    def _sources(self) -> Iterator[Metric]:
        receipts = GaugeMetricFamily(
            "paperboy_receipts_24h", "Receipts of sources begun within 24 hours.", labels=["source", "state"]
        )
        begun = IngestRun.objects.filter(started_at__gt=self._at - DAY).order_by()
        for source, state, many in begun.values_list("source", "state").annotate(Count("pk")):
            receipts.add_metric([source, state], many)
        yield receipts
        answered = GaugeMetricFamily(
            "paperboy_source_answered_timestamp_seconds",
            "When a source last answered rightly.",
            labels=["source"],
        )
        right = IngestRun.objects.filter(
            state__in=(IngestRun.State.COMPLETE, IngestRun.State.QUIET), started_at__gt=self._at - 30 * DAY
        )
        for source, when in right.order_by().values_list("source").annotate(Max("started_at")):
            answered.add_metric([source], when.timestamp())
        yield answered

    def _readers(self) -> Iterator[Metric]:
        readers = GaugeMetricFamily(
            "paperboy_readers", "Readers at the last hourly count.", labels=["status"]
        )
        row = DailyFigures.objects.order_by("-day").first()
        if row is not None:
            for status in ("active", "pending", "paused"):
                readers.add_metric([status], getattr(row, status) or 0)
        yield readers
        highest = Suppression.objects.aggregate(highest=Max("pk"))["highest"] or 0
        yield GaugeMetricFamily(
            "paperboy_suppressed_estimate", "Suppressed addresses ever, at most.", highest
        )

    def _guard(self) -> Iterator[Metric]:
        row = Guard.objects.filter(pk=1).first()
        armed = 0 if guarding.found() else 1
        yield GaugeMetricFamily(
            "paperboy_armed", "1 while digests may leave, 0 for a restored backup.", armed
        )
        ticked = row.ticked_at.timestamp() if row and row.ticked_at else 0
        yield GaugeMetricFamily("paperboy_clock_timestamp_seconds", "When the clock last ticked.", ticked)
        groups = row.generation if row else 0
        yield GaugeMetricFamily("paperboy_generation", "Groups of digests counted by the guard.", groups)


def _gauge(name: str, help_text: str, rows: "QuerySet[SystemMail] | QuerySet[ProviderEvent]") -> Metric:
    return GaugeMetricFamily(name, help_text, rows.order_by().values("pk")[:MOST].count())
