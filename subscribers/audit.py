"""The log of what people did at the desk. Rows are only added."""

from datetime import datetime

from django.http import HttpRequest

from subscribers.models import AuditEvent
from subscribers.networks import client_address


def record(
    request: HttpRequest, kind: AuditEvent.Kind, about: str, detail: str = "", *, at: datetime
) -> None:
    """Write that whoever is logged in with `request` did something to `about`; neither text holds an address.

    Call it in the transaction of the deed where there is one, so that one is not there without the other.
    """
    user = request.user if request.user.is_authenticated else None
    AuditEvent.objects.create(
        at=at,
        by=user,
        by_name=user.get_username() if user else "",
        kind=kind,
        about=about[:120],
        detail=detail[:500],
        network=client_address(request),
    )
