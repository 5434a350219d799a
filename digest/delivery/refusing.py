"""What a refusal on the wire says of the mailbox: the same as if the provider had told it later."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from digest import resting, verdicts
from digest.delivery.sending import Prepared
from digest.events import judging
from digest.models import Delivery, ProviderEvent
from subscribers.transport import Fate, Outcome


def state(sent: Sequence[tuple[Prepared, Outcome]], *, at: datetime) -> None:
    """Write what the refusals among `sent` say: facts on the deliveries, verdicts, pauses.

    Call it in the transaction that writes the outcomes, after them. A message that could not be written, or
    that the provider could not read, is no word of a mailbox.
    """
    refused = [(item.delivery, outcome) for item, outcome in sent if is_bounce(outcome)]
    if not refused:
        return
    soft = [delivery for delivery, outcome in refused if _is_for_now(outcome)]
    hard = [delivery for delivery, outcome in refused if not _is_for_now(outcome)]
    # What a webhook has told meanwhile stands.
    _of(hard).filter(bounced_at=None).update(bounced_at=at)
    _of(soft).filter(soft_bounced_at=None).update(soft_bounced_at=at)
    resting.look(refused={delivery.subscriber_id for delivery in soft}, reached=(), at=at)
    dead = [delivery for delivery, outcome in refused if outcome.address_is_bad]
    verdicts.hear([verdict(delivery) for delivery in dead], at=at)


def is_bounce(outcome: Outcome) -> bool:
    """Say whether the far side refused the message for good."""
    return outcome.fate is Fate.REJECTED and (outcome.refused or outcome.address_is_bad)


def verdict(delivery: Delivery) -> verdicts.Told:
    """Return the verdict that the mailbox `delivery` went to is dead."""
    return verdicts.Told(delivery.address_hash, delivery.domain_key, f"delivery {delivery.public_id}")


def _of(deliveries: Sequence[Delivery]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])


def _is_for_now(outcome: Outcome) -> bool:
    """Say whether a refusal for good is of a mailbox that may be well tomorrow: full, off."""
    soft = judging.by_answer(outcome.detail) == ProviderEvent.Kind.SOFT_BOUNCED
    return soft and not outcome.address_is_bad
