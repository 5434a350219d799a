"""A page says once what was done, in the moment after it was done."""

import re
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from subscribers.views.guards import see_other

#: How long a page goes on to say that something was saved: as long as it takes to arrive and be read.
SAVED_SECONDS = 10


def saved(request: HttpRequest, what: str, now: datetime, *, place: str = "") -> HttpResponse:
    """Send the browser back to the page, which then says that `what` was done; `place` is an id there."""
    return see_other(f"{request.path}?saved={what}&at={int(now.timestamp())}{place and '#' + place}")


def just_saved(request: HttpRequest) -> str:
    """Return what was saved a moment ago; opened again later, the address does not say so any more."""
    at = request.GET.get("at", "")
    if request.method == "POST" or not re.fullmatch(r"[0-9]{1,12}", at):
        return ""
    fresh = abs(int(timezone.now().timestamp()) - int(at)) <= SAVED_SECONDS
    return request.GET.get("saved", "") if fresh else ""
