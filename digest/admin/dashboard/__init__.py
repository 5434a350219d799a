"""The desk's first page: where today's edition stands, who reads, what came in, and what is wrong."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from digest.admin.dashboard import beginning, held, readers, receipts, sent, today, topics, waiting

#: Who may see a part; each is a function of (request, moment) that returns what its template shows.
_PARTS = (
    ("begin", "digest.view_edition", beginning.first_steps),
    ("today", "digest.view_edition", today.todays_edition),
    ("waiting", "digest.view_edition", waiting.what_waits),
    ("held", "digest.view_bounceverdict", held.held_bounces),
    ("readers", "digest.view_edition", readers.readership),
    ("editions", "digest.view_edition", sent.last_editions),
    ("rates", "digest.view_edition", sent.rates),
    ("receipts", "digest.view_ingestrun", receipts.receipts),
    ("topics", "subscribers.view_topic", topics.topics),
)


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return `context` with the parts that this person may see; Unfold calls it for `/admin/`."""
    now = timezone.now()
    parts = {
        name: part(request, now) for name, permission, part in _PARTS if request.user.has_perm(permission)
    }
    return {**context, "title": "Today", "parts": parts, "now": now}
