"""What every public page keeps to: usable by everybody, on any screen, light to load, and telling nobody."""

from typing import Literal

import pytest

from tests.journeys import places
from tests.journeys.axe import violations
from tests.journeys.browsing import DESKTOP, PHONE, Opened
from tests.journeys.house import House
from tests.journeys.places import NO_PAGES, PLACES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
#: Bytes of a page without its pictures, compressed.
MOST_BYTES = 60_000
#: The smallest phones that are still about, and the common one.
NARROW = (320, PHONE)
#: WCAG 2.2, 2.5.8: what a finger presses, in CSS pixels. Links within sentences are exempt.
SMALLEST_TARGET = 24
_TARGETS = """() => [...document.querySelectorAll(
    "button, input:not([type=hidden]), select, textarea, summary, nav a, a.button, .chip, label.chip")]
  .filter(element => element.checkVisibility({checkOpacity: false, checkVisibilityCSS: true})
    && !element.closest("[aria-hidden=true], .unseen, .skip"))
  .map(element => [(element.closest(".pick, label") || element).getBoundingClientRect(),
    element.outerHTML.slice(0, 120)])
  .map(([box, html]) => [Math.min(box.width, box.height), html])"""
each_group = pytest.mark.parametrize("group", list(PLACES))


def test_each_address_of_the_house_is_visited_here_or_said_to_be_no_page() -> None:
    visited = {place.name for group in PLACES.values() for place in group} - {""}
    there = set(places.named_patterns())
    assert there - visited - set(NO_PAGES) == set(), "visit these in tests/journeys/places.py"
    assert (visited | set(NO_PAGES)) - there == set(), "these are gone"
    assert visited & set(NO_PAGES) == set()


@each_group
def test_nobody_is_shut_out(house: House, open_tab: Opened, group: str) -> None:  # noqa: ARG001 - the content
    found = {}
    tab = open_tab()
    for place in PLACES[group]:
        place.visit(tab)
        for width in (PHONE, DESKTOP):
            tab.page.set_viewport_size({"width": width, "height": 844})
            for scheme in SCHEMES:
                tab.page.emulate_media(color_scheme=scheme)
                if faults := violations(tab.page):
                    found[place.title, width, scheme] = faults
    assert found == {}


@each_group
def test_no_page_scrolls_sideways_and_fingers_find_their_targets(
    house: House,  # noqa: ARG001 - the content
    open_tab: Opened,
    group: str,
) -> None:
    wide, small, looked_at = {}, {}, 0
    tab = open_tab(width=PHONE, touch=True)
    for place in PLACES[group]:
        place.visit(tab)
        for width in NARROW:
            tab.page.set_viewport_size({"width": width, "height": 844})
            if over := tab.overflow():
                wide[place.title, width] = over
        targets = tab.page.evaluate(_TARGETS)
        looked_at += len(targets)
        if narrow := [target for target in targets if target[0] < SMALLEST_TARGET]:
            small[place.title] = narrow
    assert (wide, small) == ({}, {})
    assert looked_at > len(PLACES[group])


@each_group
def test_a_page_is_light(house: House, open_tab: Opened, group: str) -> None:  # noqa: ARG001 - the content
    weights = {}
    tab = open_tab()
    for place in PLACES[group]:
        place.visit(tab)
        weights[place.title] = parts = tab.weight()
        assert any(part.endswith(".css") for part in parts), f"{place.title} was not measured whole: {parts}"
    print(group, {title: sum(parts.values()) for title, parts in weights.items()})
    assert {title: parts for title, parts in weights.items() if sum(parts.values()) > MOST_BYTES} == {}
