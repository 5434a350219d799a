"""The account of an edition: every delivery ever made stands in exactly one counted state."""

from dataclasses import dataclass

from django.db.models import Count

from digest.models import Delivery, Edition


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


def balance(edition: Edition) -> Balance:
    """Return the account of `edition` as it is now."""
    kept = Edition.objects.values_list("enrolled", flat=True).get(pk=edition.pk)
    states = dict(
        Delivery.objects.filter(edition=edition).values_list("state").annotate(count=Count("pk")).order_by()
    )
    skipped = sum(states.pop(state, 0) for state in Delivery.SKIPPED)
    waiting = sum(states.pop(state, 0) for state in (*Delivery.WAITING, Delivery.State.SUBMITTING))
    return Balance(
        enrolled=kept,
        accepted=states.get(Delivery.State.ACCEPTED, 0),
        rejected=states.get(Delivery.State.REJECTED, 0),
        skipped=skipped,
        expired=states.get(Delivery.State.EXPIRED, 0),
        cancelled=states.get(Delivery.State.CANCELLED, 0),
        unknown=states.get(Delivery.State.UNKNOWN, 0),
        open=waiting,
    )
