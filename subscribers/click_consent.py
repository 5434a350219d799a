"""Whether clicks on papers may be counted: off until a reader turns it on, under wording of its own."""

from datetime import datetime

from django.db import transaction

from subscribers import lifecycle
from subscribers.consent import Trace, record
from subscribers.models import ConsentEvent, ConsentText, Subscriber
from subscribers.signals import clicks_taken_back


def current_text() -> ConsentText | None:
    """Return the wording that a reader agrees to today."""
    return ConsentText.objects.filter(purpose=ConsentText.Purpose.CLICKS).order_by("-pk").first()


def choose(public_id: str, *, wanted: bool, at: datetime, trace: Trace) -> None:
    """Let clicks of an active reader be counted from now on, or no more.

    What was counted is forgotten with the consent. Chosen as it is already, nothing changes. Raises
    NotSubscribedError.
    """
    with transaction.atomic():
        reader = lifecycle.active(public_id)
        text = current_text()
        if wanted == (reader.clicks_counted_since is not None) or (wanted and text is None):
            return
        reader.clicks_counted_since = at if wanted else None
        reader.save(update_fields=["clicks_counted_since"])
        kind = ConsentEvent.Kind.TRACKING_ON if wanted else ConsentEvent.Kind.TRACKING_OFF
        record(reader, kind, trace, at=at, text=text if wanted else None)
        if not wanted:
            clicks_taken_back.send(sender=Subscriber, reader=reader)
