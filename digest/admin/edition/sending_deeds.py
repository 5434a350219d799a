"""Approve, pause, resume, cancel, send again. What cannot be taken back asks first."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from digest import curation, editions, progress, readiness
from digest.admin.edition.pages import View, by, context, number, of_an_edition
from digest.admin.edition.sending_page import CANCELLABLE, LEFT_THE_DESK, Kind, State, counted, moved, show
from digest.admin.edition.sending_shown import hour
from digest.curation import CurationError
from digest.delivery import balance, resending
from digest.delivery.resending import ResendError
from digest.editions import EditionError
from digest.models import Edition
from digest.rendering.opening import NAMES
from subscribers import audit
from subscribers.models import AuditEvent

LONGEST_REASON = 200


def by_post(view: View) -> View:
    """Lead whoever only opens the address of a deed back to the page."""

    @wraps(view)
    def guarded(request: HttpRequest, edition: Edition, **more: Any) -> HttpResponseBase:  # noqa: ANN401
        return view(request, edition, **more) if request.method == "POST" else back(edition)

    return guarded


def back(edition: Edition) -> HttpResponseRedirect:
    """Lead to the page."""
    return HttpResponseRedirect(reverse("admin:edition_sending", args=[edition.pk]))


def _done(request: HttpRequest, edition: Edition, deed: Callable[[], str], done: str) -> HttpResponseBase:
    """Do `deed`, which returns what the log says of it; tell `done`, or why it was refused."""
    try:
        with transaction.atomic():
            detail = deed()
            audit.record(request, AuditEvent.Kind.DEED, str(edition), detail, at=timezone.now())
    except (CurationError, EditionError, ResendError) as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, done)
    return back(edition)


def _ask(request: HttpRequest, edition: Edition, deed: str, title: str, **more: Any) -> HttpResponseBase:  # noqa: ANN401
    """Show what would happen, and one button; in a dialog where the page asks for it."""
    asked = context(request, edition, "admin:edition_sending", deed=deed, question=title, **more)
    alone = request.headers.get("X-Dialog") == "1"
    return render(
        request, f"admin/edition/sending_{deed}.html" if alone else "admin/edition/sending_ask.html", asked
    )


@of_an_edition("digest.approve_edition")
def approve(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Ask, then approve what was seen: of two who press the button, one has, and both are told who."""
    at = timezone.now()
    if request.method == "POST":
        seen = number(request.POST.get("revision"), -1)

        def deed() -> str:
            row = editions.locked(edition)
            if row.state != State.FROZEN:
                raise EditionError(_not_now(row))
            if why := readiness.why_not(row):
                raise EditionError(why)
            curation.approve(edition, at=at, by=by(request), seen=seen)
            return "approved"

        return _done(request, edition, deed, "Approved. Each reader’s digest leaves at their local hour.")
    if edition.state != State.FROZEN or readiness.why_not(edition):
        messages.warning(request, readiness.why_not(edition) or _not_now(edition))
        return back(edition)
    audience = readiness.audience(edition, at=at)
    return _ask(
        request,
        edition,
        "approve",
        "Approve this edition?",
        audience=audience,
        readers=audience.readers,
        at_once=audience.at_once,
        too_late=audience.too_late,
        first=hour(audience.first.at, audience.first.zone) if audience.first else "",
        last=hour(audience.last.at, audience.last.zone) if audience.last else "",
        papers=readiness.papers(edition),
        missing=[NAMES.get(source, source) for source in edition.missing_sources],
        nothing=readiness.nothing(edition),
    )


def _not_now(edition: Edition) -> str:
    """Return why an edition that is not frozen cannot be approved."""
    if edition.state in LEFT_THE_DESK:
        who = moved(edition, Kind.APPROVED) or "It was approved by the clock or a command."
        return f"It is approved already: {who} Nothing was done twice."
    return f"{readiness.why_not(edition)} {moved(edition)}".strip()


@of_an_edition("digest.stop_edition")
@by_post
def pause(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Hold the sending, with or without a reason."""
    reason = " ".join(request.POST.get("reason", "").split())
    if len(reason) > LONGEST_REASON:
        wrong = f"It has {len(reason):,} characters; {LONGEST_REASON} is the most. Nothing is paused yet."
        return show(request, edition, typed=reason, wrong=wrong)

    def deed() -> str:
        if editions.locked(edition).state not in {State.APPROVED, State.SENDING}:
            raise EditionError(
                _cannot(edition, "paused", "Only what is approved or being sent can be paused.")
            )
        curation.pause(edition, reason=reason, by=by(request))
        return f"paused: {reason}" if reason else "paused"

    return _done(request, edition, deed, "Paused. Nothing more leaves but the messages on the wire.")


@of_an_edition("digest.stop_edition")
@by_post
def resume(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Go on."""

    def deed() -> str:
        if editions.locked(edition).state != State.PAUSED:
            raise EditionError(_cannot(edition, "resumed", "Only what is paused can go on."))
        curation.resume(edition, at=timezone.now(), by=by(request))
        return "resumed"

    return _done(request, edition, deed, "It goes on.")


def _cannot(edition: Edition, deed: str, rule: str) -> str:
    row = Edition.objects.get(pk=edition.pk)
    if row.state == deed:
        return f"It is {deed} already. {moved(row)}".strip() + " Nothing was done twice."
    return f"It is {row.state} and was not {deed}. {rule} {moved(row)}".strip()


@of_an_edition("digest.stop_edition")
def cancel(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Ask, then end the edition for good."""
    if request.method == "POST":

        def deed() -> str:
            if editions.locked(edition).state not in CANCELLABLE:
                raise EditionError(_cannot(edition, "cancelled", "There is nothing left to cancel."))
            curation.cancel(edition, at=timezone.now(), by=by(request))
            return "cancelled"

        return _done(request, edition, deed, "Cancelled. What had left has left; nothing more does.")
    if edition.state not in CANCELLABLE:
        messages.warning(request, _cannot(edition, "cancelled", "There is nothing left to cancel."))
        return back(edition)
    kept = progress.figures(counted(edition))
    account = balance.kept(kept) if kept else None
    return _ask(request, edition, "cancel", "Cancel this edition for good?", account=account, figures=kept)


@of_an_edition("digest.resend_unknown")
def resend(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Ask for the number of readers who may get it twice, then let their digests go again."""
    at = timezone.now()
    if request.method == "POST":

        def deed() -> str:
            typed = number(request.POST.get("number", "").strip().replace(",", ""), -1)
            many = resending.resend(edition, expected=typed, at=at)
            return f"{many} of unknown outcome let go again"

        done = "Let go again: they leave within a minute, after the same last look as any other."
        answer = _done(request, edition, deed, done)
        progress.keep(edition, at=at)  # an edition that is over is counted rarely
        return answer
    outlook = resending.outlook(edition, at=at)
    if edition.state not in Edition.SENDABLE or not outlook.unknown:
        messages.warning(request, "There is nothing of unknown outcome here that could be sent again now.")
        return back(edition)
    held = [(count, resending.HELD[why]) for why, count in outlook.held.items()]
    title = "Send again what may have arrived?"
    return _ask(request, edition, "resend", title, outlook=outlook, many=len(outlook.again), held=held)


urls: list[URLPattern] = [
    path(f"<int:pk>/sending/{name}/", view, name=f"edition_sending_{name}")
    for name, view in (
        ("approve", approve),
        ("pause", pause),
        ("resume", resume),
        ("cancel", cancel),
        ("resend", resend),
    )
]
