"""Any list of the desk as a CSV file: the rows its filters leave, in its order, as its columns show them."""

from array import array
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Field, IntegerField, Model
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from unfold.views import ChangeList

from subscribers.admin.csv_table import csv_answer

#: Rows fetched at once: memory holds them, and eight bytes for each other row.
PAGE = 1_000
_CHECKBOX = "action_checkbox"


def list_as_csv(changelist: ChangeList, request: HttpRequest) -> StreamingHttpResponse:
    """Return all rows of `changelist`, not only those of its page; the audit log says by which filters."""
    admin, columns = changelist.model_admin, [name for name in changelist.list_display if name != _CHECKBOX]
    return csv_answer(
        request,
        name=str(changelist.opts.verbose_name_plural),
        headers=[_header(name, changelist) for name in columns],
        rows=([_cell(name, row, admin) for name in columns] for row in _rows(changelist)),
        detail=_filters(request),
    )


def _rows(changelist: ChangeList) -> Iterator[Model]:
    """Yield the rows in the list's order: first which ones, by one query, then each thousand by their keys.

    So no transaction stays open while the file is taken, and no page is found by counting from the first.
    """
    found = changelist.queryset.values_list("pk", flat=True).iterator(chunk_size=10 * PAGE)
    whole = isinstance(changelist.opts.pk, IntegerField)
    keys: Sequence[Any] = array("q", found) if whole else list(found)
    source = changelist.apply_select_related(changelist.root_queryset)
    for start in range(0, len(keys), PAGE):
        wanted = list(keys[start : start + PAGE])
        rows = source.in_bulk(wanted)
        yield from (rows[key] for key in wanted if key in rows)  # one may be gone by now


def _header(name: str, changelist: ChangeList) -> str:
    return str(label_for_field(name, changelist.model, changelist.model_admin)).capitalize()


def _cell(name: str, row: Model, admin: "ModelAdmin[Any]") -> object:
    """Return what the column `name` shows of `row`, without its markup."""
    try:
        field, _attribute, value = lookup_field(name, row, admin)
    except ObjectDoesNotExist:
        return None
    if isinstance(field, Field) and field.flatchoices:
        return dict(field.flatchoices).get(value, value)
    if isinstance(value, SafeString):
        return unescape(strip_tags(value)).strip()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return value


def _filters(request: HttpRequest) -> str:
    """Return the filters in words; what was searched for may be an address, and is not told."""
    told = [f"{key}={value}" for key, value in request.GET.items() if key not in (SEARCH_VAR, PAGE_VAR)]
    if request.GET.get(SEARCH_VAR):
        told.append("searched")
    return f"as CSV, {', '.join(told)}" if told else "as CSV, all rows"
