"""The page between an action and its deed: what will happen, to whom, and one button."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

#: Rows that one button may act on: more is a matter for a command.
MOST_AT_ONCE = 100


def is_answered(request: HttpRequest) -> bool:
    """Return whether `request` comes from the page's button."""
    return request.POST.get("confirmed") == "yes"


def page(
    model_admin: ModelAdmin,
    request: HttpRequest,
    *,
    action: str,
    title: str,
    sentence: str,
    rows: Iterable[tuple[int, str]],
    form: forms.Form | None = None,
) -> TemplateResponse:
    """Return the page that asks; its button posts `action` again, for the same `rows` of (key, name)."""
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "sentence": sentence,
        "action": action,
        "rows": list(rows),
        "checkbox": ACTION_CHECKBOX_NAME,
        "form": form,
    }
    return TemplateResponse(request, "admin/subscribers/asking_first.html", context)
