"""A curator never sees an address: every page that one can reach, in a house full of them."""

import re
from collections import deque
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from subscribers import leaving_reasons
from subscribers.addresses import without_addresses
from subscribers.models import AuditEvent, LeavingReason
from tests.cast import NOON
from tests.digest.access.furnished import ADDRESS, SECRETS, furnish
from tests.digest.access.matrix import expected
from tests.digest.access.people import browser_of
from tests.digest.access.test_matrix import LETTERS, NAMES, address, asked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("cache_server")]

#: Pages that a list may have for its filters and orders: enough to see each column in each state.
MOST = 250
_LINKS = re.compile(r'(?:href|hx-get|data-href|src|action)="(/admin/[^"#]*|\?[^"#]*)"')


def everything_reached(client: Client, role: str) -> dict[str, str]:
    """Return {address: page} of all that `client` finds: what the table allows, and every link from there."""
    house, table = furnish(), expected()
    letter = LETTERS[role]
    start = [address(name, table[name], house) for name in NAMES if letter in table[name].get]
    start += [f"{reverse('admin:search')}?s={word}" for word in ("ada", "secret", "reader", "letterbox")]
    start += [f"{reverse('admin:search')}?s={word}&extended=1" for word in ("ada", "secret", "letterbox")]
    files = [address(name, table[name], house) for name in NAMES if name.endswith("_export")]
    found = {f"{where} (file)": body(client, "post", where) for where in files}
    waiting, seen = deque(start), set(start)
    while waiting and len(found) < MOST:
        where = waiting.popleft()
        found[where] = body(client, "get", where)
        for link in map(unescape, _LINKS.findall(found[where])):
            onward = link if link.startswith("/") else where.partition("?")[0] + link
            if onward not in seen and "logout" not in onward:
                seen.add(onward)
                waiting.append(onward)
    return found


def body(client: Client, method: str, where: str) -> str:
    answer = asked(client, method, where)
    if answer.streaming:
        answer = getattr(client, method)(where)
        return b"".join(answer.streaming_content).decode()
    return answer.content.decode(errors="replace")


@pytest.mark.parametrize("role", ["newcomer", "curator"])
def test_no_page_within_reach_shows_an_address_or_half_of_one(role: str) -> None:
    pages = everything_reached(browser_of(role), role)
    assert len(pages) > (100 if role == "curator" else 10)
    told = {where: word for where, page in pages.items() for word in SECRETS if word in page}
    assert told == {}


def test_an_operator_does_see_them_so_the_search_can_find_one() -> None:
    pages = everything_reached(browser_of("operator"), "operator")
    assert any(ADDRESS in page for page in pages.values())


def test_addresses_among_the_words_of_who_leaves_are_not_kept() -> None:
    leaving_reasons.keep("other", f"Write to {ADDRESS}, not <mailto:x@y.example>!", said_by="link", at=NOON)
    assert LeavingReason.objects.get().words == "Write to •••, not <mailto:•••>!"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing here", "nothing here"),
        ("a@b.example", "•••"),
        ("(ask a.b+c@d.example; or not)", "(ask •••; or not)"),
        ("meet @ noon", "meet @ noon"),
    ],
)
def test_addresses_in_a_text_are_blotted_out(text: str, shown: str) -> None:
    assert without_addresses(text) == shown


def test_the_audit_log_keeps_no_address_even_of_a_files_name() -> None:
    furnish()
    kept = " ".join(f"{event.about} {event.detail}" for event in AuditEvent.objects.all())
    assert "@" not in kept
