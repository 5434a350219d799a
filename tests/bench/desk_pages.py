"""Every page of the desk, found by its addresses and by its lists' filters: what is added later, too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, reverse

from digest.models import Edition

#: Milliseconds of server time that a page may take; the desk of an edition is opened most.
PAGE, DESK = 500, 300
#: Choices of a filter that are followed: the first say as much as the rest.
CHOICES = 4
#: What a list is searched for, by the name of its model.
SEARCHES = {"paper": ("diffusion video", "p77"), "delivery": ("d" + "7".zfill(21), "r" + "7".zfill(21))}


#: Answers a path as a test client does.
Get = Callable[[str], Any]


@dataclass(frozen=True)
class DeskPage:
    """A page, and how many milliseconds it may take."""

    path: str
    limit: int = PAGE


def all_pages(get: Get, *editions: Edition) -> list[DeskPage]:
    """Return the pages that answer to `get`: of the desk, of each of `editions`, and the lists."""
    paths = list(_plain(admin.site.urls[0], reverse("admin:index"), editions))
    pages = [DeskPage(path, _limit(path)) for path in paths if _is_page(get, path)]
    for model in admin.site._registry:
        where = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        pages += [DeskPage(path) for path in _list(get, where, str(model._meta.model_name))]
    return list(dict.fromkeys(pages))


def _limit(path: str) -> int:
    return DESK if path.startswith("/admin/digest/edition/") and path.endswith("/change/") else PAGE


def _plain(
    patterns: list[URLPattern | URLResolver], prefix: str, editions: tuple[Edition, ...]
) -> Iterator[str]:
    """Yield the paths below `prefix` that take nothing, or an edition's key."""
    for pattern in patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _plain(pattern.url_patterns, prefix + route, editions)
        elif not pattern.pattern.converters and "(" not in route:
            yield prefix + route
        elif set(pattern.pattern.converters) == {"pk"} and "/digest/edition/" in prefix + route:
            yield from (prefix + route.replace("<int:pk>", str(edition.pk)) for edition in editions)


def _is_page(get: Get, path: str) -> bool:
    answer = get(path)
    return bool(answer.status_code == 200 and answer["Content-Type"].startswith("text/html"))


def _list(get: Get, where: str, name: str) -> Iterator[str]:
    """Yield a list's first and last page, its filters' choices, its searches and its first row."""
    answer = get(where)
    changelist = (getattr(answer, "context_data", None) or {}).get("cl")
    if changelist is None:
        return
    yield where
    if changelist.multi_page:
        yield f"{where}?p={changelist.paginator.num_pages}"
    for spec in changelist.filter_specs:
        yield from (where + choice["query_string"] for choice in islice(spec.choices(changelist), CHOICES))
    for number, column in enumerate(changelist.list_display):
        if changelist.sortable_by is None or column in changelist.sortable_by:
            yield f"{where}?o={number}"
    yield from (f"{where}?q={term.replace(' ', '+')}" for term in SEARCHES.get(name, ()))
    yield from (f"{where}{row.pk}/change/" for row in changelist.result_list[:1])
