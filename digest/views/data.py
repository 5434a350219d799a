"""A reader's data, to take along."""

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from digest import export
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, closed


@behind_a_token(Purpose.ACCOUNT)
def account_data(request: HttpRequest, claims: Claims) -> HttpResponseBase:
    """Give the reader a file with all that is kept about them; asking changes nothing, however it is done."""
    reader = Subscriber.objects.filter(public_id=claims.subject).first()
    if reader is None:
        return closed(request, "Nothing about you is stored behind this link any more.", 410)
    now = timezone.now()
    return StreamingHttpResponse(
        export.written(reader, at=now),
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="my-data-{now:%Y-%m-%d}.json"'},
    )
