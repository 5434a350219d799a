"""The menu at the side of every page: in the field's words, and nothing that this person may not open."""

from typing import Any

from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from digest.admin import ways
from digest.models import BounceVerdict, DailyFigures, Delivery, Edition, IngestRun, Paper, ProviderEvent
from subscribers.models import (
    AuditEvent,
    ConsentEvent,
    ImportJob,
    LeavingReason,
    Subscriber,
    Suppression,
    SystemMail,
    Topic,
)

#: (title of the group, its entries as (title, icon of Material Symbols, the table it lists)).
_LISTS: tuple[tuple[str, tuple[tuple[str, str, type[Model]], ...]], ...] = (
    (
        "Papers and editions",
        (
            ("Editions", "newspaper", Edition),
            ("Papers", "article", Paper),
            ("Topics", "category", Topic),
            ("Receipts", "receipt_long", IngestRun),
            ("Deliveries", "forward_to_inbox", Delivery),
            ("Provider events", "webhook", ProviderEvent),
            ("Bounces", "unsubscribe", BounceVerdict),
        ),
    ),
    (
        "Readers",
        (
            ("Readers", "group", Subscriber),
            ("Suppression list", "block", Suppression),
            ("Consent log", "fact_check", ConsentEvent),
            ("Imports", "upload_file", ImportJob),
            ("Leaving reasons", "waving_hand", LeavingReason),
            ("Mails", "mail", SystemMail),
            ("Figures by day", "monitoring", DailyFigures),
        ),
    ),
    (
        "The house",
        (
            ("People", "person", User),
            ("Groups", "badge", Group),
            ("Locked logins", "lock", AccessAttempt),
            ("Audit log", "history_edu", AuditEvent),
        ),
    ),
)
_TODAY = {"title": "Today", "icon": "wb_sunny"}


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the menu, in Unfold's form; a group with nothing to open is left out."""
    listed: list[dict[str, Any]] = [
        {"title": title, "separator": True, "items": _open_to(request, entries)} for title, entries in _LISTS
    ]
    home = reverse("admin:index")
    first = {"items": [{**_TODAY, "link": home, "active": request.path == home}]}
    return [first, *(group for group in listed if group["items"])]


def _open_to(request: HttpRequest, entries: tuple[tuple[str, str, type[Model]], ...]) -> list[dict[str, Any]]:
    return [
        {"title": title, "icon": icon, "link": link, "active": request.path.startswith(link)}
        for title, icon, model in entries
        if (link := ways.rows(request, model))
    ]
