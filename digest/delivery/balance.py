"""The account of an edition: every delivery ever made stands in exactly one counted state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from django.db.models import Count, Subquery

from digest.models import Delivery, Edition, EditionFigures


@dataclass(frozen=True, slots=True)
class Balance:
    """How many deliveries of an edition stand where. `enrolled` is the count kept when they were made."""

    enrolled: int
    accepted: int
    rejected: int
    skipped: int
    expired: int
    cancelled: int
    unknown: int
    open: int

    @classmethod
    def of(cls, enrolled: int, states: Mapping[str, int]) -> Self:
        """Return the account of so many `enrolled`, who stand in `states`: {Delivery.State: how many}."""
        state = Delivery.State
        return cls(
            enrolled=enrolled,
            accepted=states.get(state.ACCEPTED, 0),
            rejected=states.get(state.REJECTED, 0),
            skipped=sum(states.get(one, 0) for one in Delivery.SKIPPED),
            expired=states.get(state.EXPIRED, 0),
            cancelled=states.get(state.CANCELLED, 0),
            unknown=states.get(state.UNKNOWN, 0),
            open=sum(states.get(one, 0) for one in (*Delivery.WAITING, state.SUBMITTING)),
        )

    @property
    def exact(self) -> bool:
        """Whether the states add up to what was enrolled."""
        return self.enrolled == (
            self.accepted
            + self.rejected
            + self.skipped
            + self.expired
            + self.cancelled
            + self.unknown
            + self.open
        )

    def __str__(self) -> str:
        parts = (
            f"accepted {self.accepted} + rejected {self.rejected} + skipped {self.skipped} + "
            f"expired {self.expired} + cancelled {self.cancelled} + unknown {self.unknown} + open {self.open}"
        )
        return f"enrolled {self.enrolled} {'=' if self.exact else '!='} {parts}"


def count(edition: Edition) -> tuple[int, dict[str, int]]:
    """Return (how many were enrolled, {state: how many}) of `edition`, both of the same moment.

    It walks an index over all deliveries of the edition: pages read `EditionFigures`, which keeps it.
    """
    kept = Edition.objects.filter(pk=edition.pk).values("enrolled")
    # Before the rows: an edition whose rows have all vanished must not look as if it never had any.
    enrolled = kept.values_list("enrolled", flat=True).get()
    rows = Delivery.objects.filter(edition=edition).values("state").order_by()
    states = {}
    # One statement, so that a page of readers enrolled meanwhile is in both or in neither.
    for row in rows.annotate(count=Count("pk"), enrolled=Subquery(kept)):
        states[row["state"]], enrolled = row["count"], row["enrolled"]
    return enrolled, states


def balance(edition: Edition) -> Balance:
    """Return the account of `edition`, counted now."""
    return Balance.of(*count(edition))


def kept(figures: EditionFigures) -> Balance:
    """Return the account of an edition at its last count."""
    return Balance.of(figures.enrolled, figures.states)
