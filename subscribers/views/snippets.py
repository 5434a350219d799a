"""The code to copy for those who want the sign-up form on a page of theirs."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_safe

from subscribers.consent import current_consent_text
from subscribers.forms.snippets import SnippetForm


@require_safe
def embed_code(request: HttpRequest) -> HttpResponse:
    """Show the frame and the plain form as code, with the topics and words asked for."""
    form = SnippetForm(request.GET)
    topics, words = form.topics(), form.words()
    choices = [("topic", topic.slug) for topic in topics] + ([("q", words)] if words else [])
    shown = {
        "topics": topics,
        "words": words,
        "list_name": settings.LIST_NAME,
        "consent": current_consent_text(),
        "signup_url": _address("signup"),
        "frame_url": _address("embed", choices),
    }
    page = {
        "form": form,
        "origins": settings.EMBED_ORIGINS,
        "frame_code": render_to_string("web/snippet_frame.html", shown).strip(),
        "form_code": render_to_string("web/snippet_form.html", shown).strip(),
        "link": _address("signup", choices),
        "api_url": _address("api_subscribe"),
    }
    return render(request, "web/embed_code.html", page)


def _address(name: str, choices: list[tuple[str, str]] | None = None) -> str:
    """Return a page's whole address, to be used on other sites."""
    return f"{settings.SITE_URL}{reverse(name)}" + (f"?{urlencode(choices)}" if choices else "")
