"""The goodbye page: take back having left, and say why, if one likes. GET shows, POST acts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import leaving_reasons, lifecycle
from subscribers.forms import ReasonForm
from subscribers.links import Claims, Purpose
from subscribers.models import Subscriber
from subscribers.views.guards import behind_a_token, closed, trace_of
from subscribers.views.saying import just_saved, saved


@behind_a_token(Purpose.UNDO)
def undo(request: HttpRequest, claims: Claims) -> HttpResponse:
    """Say goodbye with a button that takes it back, and take a reason, once, from whoever gives one."""
    assert claims.issued_at is not None  # noqa: S101 - every link that expires says when it was made
    if request.method == "POST" and "why" in request.GET:
        return _take_reason(request, claims)
    if request.method == "POST":
        trace = trace_of(request, "goodbye page")
        now = timezone.now()
        if lifecycle.resume(claims.subject, left_at=claims.issued_at, at=now, trace=trace):
            return render(request, "web/resumed.html")
        return _too_late(request)
    reader = Subscriber.objects.filter(public_id=claims.subject).first()
    if reader is not None and reader.status == Subscriber.Status.ACTIVE:
        return render(request, "web/resumed.html")
    if reader is None or not lifecycle.can_resume(reader, claims.issued_at):
        return _too_late(request)
    return _goodbye(request, ReasonForm())


def _take_reason(request: HttpRequest, claims: Claims) -> HttpResponse:
    form, now = ReasonForm(request.POST), timezone.now()
    if not form.is_valid():
        return _goodbye(request, form)
    said_by = f"{claims.subject} {claims.issued_at}"
    leaving_reasons.keep(form.cleaned_data["reason"], form.cleaned_data["words"], said_by=said_by, at=now)
    return saved(request, "reason", now)


def _goodbye(request: HttpRequest, form: ReasonForm) -> HttpResponse:
    page: dict[str, Any] = {"form": form, "saved": just_saved(request)}
    return render(request, "web/goodbye.html", page, status=422 if form.errors else 200)


def _too_late(request: HttpRequest) -> HttpResponse:
    return closed(request, "This can be taken back for half an hour, once, and that is over.", 410)
