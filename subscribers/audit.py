"""The log of what people did at the desk. Rows are only added."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest

from subscribers.addresses import without_addresses
from subscribers.models import AuditEvent
from subscribers.networks import client_address

#: How long the log knows from where something was done: long enough to look into a break-in. Readers' own
#: figures stand in `retention`, and on the privacy page.
NETWORKS = timedelta(days=90)


def record(
    request: HttpRequest, kind: AuditEvent.Kind, about: str, detail: str = "", *, at: datetime
) -> None:
    """Write that whoever is logged in with `request` did something to `about`; neither text holds an address.

    Call it in the transaction of the deed where there is one, so that one is not there without the other.
    """
    record_for(request.user, kind, about, detail, at=at, network=client_address(request))


def record_for(
    user: AbstractBaseUser | AnonymousUser | None,
    kind: AuditEvent.Kind,
    about: str,
    detail: str = "",
    *,
    at: datetime,
    network: str | None = None,
) -> None:
    """Write the same of `user`: who logs in or out is not yet, or no more, a request's; a command has none.

    Should an address stand in the name of a thing, such as an uploaded file's, it is blotted out.
    """
    known = user if user is not None and user.is_authenticated else None
    AuditEvent.objects.create(
        at=at,
        by_id=known.pk if known else None,
        by_name=known.get_username() if known else "",
        kind=kind,
        about=without_addresses(about)[:120],
        detail=without_addresses(detail)[:500],
        network=network,
    )
