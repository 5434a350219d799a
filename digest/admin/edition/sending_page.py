"""The page an edition is let go from, stopped and watched on, and what its visitor may do there."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from digest import readiness
from digest.admin.edition.pages import context
from digest.admin.edition.sending_shown import hour, shown
from digest.curation.deciding import told
from digest.delivery.balance import kept
from digest.models import Decision, Edition
from digest.progress import figures

State, Kind = Edition.State, Decision.Kind
CANCELLABLE = (State.OPEN, State.FROZEN, State.APPROVED, State.SENDING, State.PAUSED)
#: Somebody, or the clock, let it go; it may be over since.
LEFT_THE_DESK = (State.APPROVED, State.SENDING, State.SENT, State.PAUSED)
MOVES = (Kind.APPROVED, Kind.PAUSED, Kind.RESUMED, Kind.CANCELLED)


def moved(edition: Edition, *kinds: str) -> str:
    """Return who moved `edition` last, in one of the ways `kinds` or any, and when; or nothing."""
    newest = edition.decisions.filter(kind__in=kinds or MOVES).first()
    return f"{told(newest)}." if newest else ""


def counted(edition: Edition) -> Edition:
    """Return `edition` as it is now, with its kept figures."""
    return Edition.objects.select_related("figures").get(pk=edition.pk)


def show(request: HttpRequest, edition: Edition, *, typed: str = "", wrong: str = "") -> HttpResponse:
    """Show the page; `typed` is a reason to pause that was `wrong`, kept in its field."""
    edition = counted(edition)
    more = {**shown(request, edition, timezone.now()), **_deeds(request, edition)}
    why_not = "" if edition.state in LEFT_THE_DESK else readiness.why_not(edition)
    told = {"why_not": why_not, "moved": moved(edition), "typed": typed, "wrong": wrong}
    told["first"] = _first(edition)
    page = context(request, edition, "admin:edition_sending", **more, **told)
    return render(request, "admin/edition/sending.html", page, status=400 if wrong else 200)


def _first(edition: Edition) -> str:
    """Return when the first reader of an approved edition is due, where all of that is still to come."""
    if edition.state != State.APPROVED or edition.enrolled:
        return ""
    audience = readiness.audience(edition, at=timezone.now())
    if audience.first is None or audience.at_once:
        return ""
    return hour(audience.first.at, audience.first.zone)


def _deeds(request: HttpRequest, edition: Edition) -> dict[str, Any]:
    """Return what whoever asks may do to `edition` now."""
    may, now = request.user.has_perm, figures(edition)
    stops = may("digest.stop_edition")
    return {
        "may_approve": edition.state == State.FROZEN and may("digest.approve_edition"),
        "may_pause": edition.state in {State.APPROVED, State.SENDING} and stops,
        "may_resume": edition.state == State.PAUSED and stops,
        "may_cancel": edition.state in CANCELLABLE and stops,
        "may_resend": edition.state in Edition.SENDABLE
        and may("digest.resend_unknown")
        and now is not None
        and kept(now).unknown > 0,
    }
