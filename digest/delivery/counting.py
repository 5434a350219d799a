"""How many digests left when, for the pace."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from digest.models import Delivery, Edition

State = Delivery.State
#: Nothing of an edition leaves later than this after its day began.
_LONGEST = timedelta(days=14)


def left_between(since: datetime, until: datetime) -> int:
    """Return how many digests left, or may have left, within [since, until): by indexes of an edition each.

    One that is on the wire counts when its lease began.
    """
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    editions = list(Edition.objects.filter(day__gte=(since - _LONGEST).date()).values_list("pk", flat=True))
    answered = Delivery.objects.filter(
        edition__in=editions, state__in=Delivery.ANSWERED, settled_at__gte=since, settled_at__lt=until
    )
    unknown = Q(state=State.UNKNOWN, settled_at__gte=since, settled_at__lt=until)
    on_the_wire = Q(state=State.SUBMITTING, lease_until__gte=since + lease, lease_until__lt=until + lease)
    doubtful = Delivery.objects.filter(unknown | on_the_wire, edition__in=editions)
    return answered.count() + doubtful.count()
