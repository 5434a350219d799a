"""Whether somebody looks for a mail right now: who signed up, asked for a link, or moves to an address."""

from datetime import datetime, timedelta

from subscribers.models import SignupRequest, SystemMail

#: So long a mail may wait for its turn while digests leave.
PATIENCE = timedelta(seconds=5)


def somebody_waits(*, at: datetime) -> bool:
    """Say whether a wish to subscribe or a system mail has been due for longer than PATIENCE."""
    since = at - PATIENCE
    return SignupRequest.objects.filter(at__lte=since).exists() or SystemMail.objects.due(since).exists()
