"""Ways to the rows behind a figure: a link for who may open it, nothing for who may not."""

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from digest.models import Delivery, Edition


def may_list(request: HttpRequest, model: type[Model]) -> bool:
    """Say whether there is a list of `model`, and this person may open it."""
    return admin.site.is_registered(model) and bool(
        admin.site.get_model_admin(model).has_view_permission(request)
    )


def rows(request: HttpRequest, model: type[Model], **filters: str | int) -> str:
    """Return the way to the list of `model` with `filters` ("state__exact" and the like), or nothing."""
    if not may_list(request, model):
        return ""
    where = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{where}?{urlencode(filters)}" if filters else where


def deliveries(request: HttpRequest, edition: Edition, states: Sequence[str]) -> str:
    """Return the way to the deliveries of `edition` that are in one of `states`, or nothing."""
    chosen = {"state__exact": states[0]} if len(states) == 1 else {"state__in": ",".join(states)}
    return rows(request, Delivery, edition__id__exact=edition.pk, **chosen)


def row(request: HttpRequest, instance: Model) -> str:
    """Return the way to the page of one row, or nothing."""
    if not may_list(request, type(instance)):
        return ""
    return reverse(f"admin:{instance._meta.app_label}_{instance._meta.model_name}_change", args=[instance.pk])


def page(request: HttpRequest, edition: Edition, name: str) -> str:
    """Return the way to one of the pages of an edition: "digest_edition_change", "edition_sending" ..."""
    return reverse(f"admin:{name}", args=[edition.pk]) if request.user.has_perm("digest.view_edition") else ""
