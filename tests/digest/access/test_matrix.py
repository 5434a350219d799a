"""Every address of the desk, asked for by everybody: driven from the urlconf, so that none is forgotten."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from tests.digest.access.furnished import Furnished, furnish
from tests.digest.access.matrix import ALL, DOORS, Page, expected
from tests.digest.access.people import browser_of

pytestmark = pytest.mark.django_db

LOGIN = reverse("admin:login")
LETTERS = dict(zip(("newcomer", "curator", "operator", "owner"), ALL, strict=True))
#: 404 and 405 say that there is nothing to open.
SHUT_OUT = ("refused", "404", "405")
#: Answers to GET of who is let in, where they are no page: who has nothing to do there is led on.
NO_PAGES = {"two_factor_code": 302, "two_factor_backup_codes": 302, "two_factor_off": 302} | dict.fromkeys(
    ("edition_sending_pause", "edition_sending_resume", "edition_sending_resend"), 302
)


def patterns(found: list[Any] | None = None) -> Iterator[URLPattern]:
    """Yield every address of the desk that has a name."""
    for one in admin.site.get_urls() if found is None else found:
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns)
        elif one.name:
            yield one


THERE = {str(pattern.name) for pattern in patterns()} - DOORS
NAMES = sorted(THERE & set(expected()))


def address(name: str, page: Page, house: Furnished) -> str:
    """Return where `name` is, about a row that is there."""
    if name == "app_list":
        return reverse("admin:app_list", args=["digest"])
    if name == "view_on_site":
        return reverse("admin:view_on_site", args=[1, 1])
    if name == "edition_report_csv":
        return reverse(f"admin:{name}", args=[house.keys["edition"], "papers"])
    if page.of is None:
        return reverse(f"admin:{name}")
    key = house.keys[page.of[1]]
    try:
        return reverse(f"admin:{name}", kwargs={page.of[0]: key})
    except Exception:  # noqa: BLE001 - an address of our own stands in the place of Django's
        return reverse(f"admin:{name}", args=[key])


def asked(client: Client, method: str, where: str) -> HttpResponse:
    """Return the answer, and undo what followed from it."""
    with transaction.atomic():
        answer: HttpResponse = getattr(client, method)(where)
        if answer.streaming:
            list(answer.streaming_content)  # type: ignore[attr-defined]
        transaction.set_rollback(True)
    return answer


def verdict(answer: HttpResponse) -> str:
    """Return "login", "refused", or the status of who is let in."""
    if answer.status_code == 302 and answer["Location"].startswith(LOGIN):
        return "login"
    return "refused" if answer.status_code == 403 else str(answer.status_code)


def test_each_address_of_the_desk_stands_in_the_table_and_none_is_there_that_is_gone() -> None:
    table = expected()
    assert THERE - set(table) == set(), "say in tests/digest/access/matrix.py who may open these"
    gone = {name for name in set(table) - THERE if not name.endswith("_export")}
    assert gone == set(), "these are gone: take them out of tests/digest/access/matrix.py"


@pytest.mark.parametrize("role", ["stranger", "reader"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_no_staff_is_led_to_the_login_everywhere(role: str, method: str) -> None:
    house, client, table = furnish(), browser_of(role), expected()
    got = {name: verdict(asked(client, method, address(name, table[name], house))) for name in NAMES}
    assert {name: said for name, said in got.items() if said not in {"login", "405"}} == {}


@pytest.mark.parametrize("role", LETTERS)
def test_who_may_look(role: str) -> None:
    house, client, table = furnish(), browser_of(role), expected()
    wrong = {}
    for name in NAMES:
        said = verdict(asked(client, "get", address(name, table[name], house)))
        wanted = wanted_of_get(name) if LETTERS[role] in table[name].get else SHUT_OUT
        if said not in wanted:
            wrong[name] = f"{said}, not {wanted}"
    assert wrong == {}


def wanted_of_get(name: str) -> tuple[str, ...]:
    if name.endswith("_export") and name != "subscribers_export":
        return ("302",)  # a file is asked for by POST
    return (str(NO_PAGES.get(name, 200)), "200") if name in NO_PAGES else ("200",)


@pytest.mark.parametrize("role", LETTERS)
def test_who_may_act(role: str) -> None:
    house, client, table = furnish(), browser_of(role), expected()
    wrong = {}
    for name in NAMES:
        page = table[name]
        said = verdict(asked(client, "post", address(name, page, house)))
        if LETTERS[role] in page.get and not page.post:
            continue  # a POST to what only shows does nothing
        allowed = LETTERS[role] in page.post
        if allowed is (said in SHUT_OUT) or said[0] == "5":
            wrong[name] = said
    assert wrong == {}
