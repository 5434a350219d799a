"""The front page: the newest edition, under one line and one form, and what the form would bring."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from digest import kept
from digest.editions import edition_day
from digest.models import Edition
from digest.previewing import Asked, preview
from digest.views import editions
from digest.views.public import public
from subscribers import captcha, limits
from subscribers.forms import SignupForm, prefilled
from subscribers.models import Preference
from subscribers.networks import client_address


@public
@captcha.allowed
def front(request: HttpRequest) -> HttpResponse:
    """Show the newest published edition that has papers, 30 a page, and the way in.

    A link may fill the form: `?topic=a&topic=b&q=own+words`, as it may that of /subscribe/.
    """
    now = timezone.now()
    form = prefilled(request.GET)
    asked = _asked(form)
    # To look up what a link asks for is work, which the limit of /preview/ bounds here too.
    looked_up = asked if asked and limits.may_preview(client_address(request), at=now) else None
    edition = Edition.objects.newest()
    context = editions.contents(edition, request.GET.get("page"), level=3) if edition else {}
    # What everybody sees is made once, as long as the day's papers are the same and within a minute.
    day = (edition and (edition.pk, edition.revision), context.get("papers"), edition_day(now))
    offered = [(topic.slug, topic.name) for topic in form.offered]
    shown = (offered, form.consent.pk, form.puzzle, now.replace(second=0, microsecond=0))
    context |= {
        "signup_form": form,
        "form": _form(request, form)
        if asked
        else kept.remembered("form", shown, lambda: _form(request, form)),
        "preview": _preview(looked_up, now)
        if looked_up
        else kept.remembered("preview", day, lambda: _preview(None, now)),
        "personal": looked_up is not None,
        "is_today": edition is not None and edition.day == edition_day(now),
    }
    return render(request, "web/front.html", context)


def _form(request: HttpRequest, form: SignupForm) -> SafeString:
    """Return the form as HTML. Its stamp names nobody: many may share it (`subscribers.stamps`)."""
    return render_to_string("web/signup_form.html", {"signup_form": form}, request)


def _asked(form: SignupForm) -> Asked | None:
    """Return what the link that leads here asks for; None for nothing."""
    chosen, words = set(form.initial["topics"]), form.initial["words"].splitlines()
    topics = {topic.pk: float(Preference.Weight.NORMAL) for topic in form.offered if topic.slug in chosen}
    return Asked(topics=topics, words=words) if topics or words else None


def _preview(asked: Asked | None, at: datetime) -> SafeString:
    found = preview(asked, at=at)
    piece = render_to_string("web/preview.html", {"preview": found})
    return kept.Passing(piece) if found.broken else piece
