"""The watchers see: each fault that the journeys look out for, planted."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.journeys.axe import violations
from tests.journeys.browsing import PHONE, Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(house: House, chromium: Browser) -> Iterator[Tab]:
    """A tab at the front page whose faults fail nobody."""
    tab = Tab.of(chromium, house.home, width=PHONE)
    tab.open("/subscribe/")
    yield tab
    tab.page.context.close()


def test_a_healthy_page_has_nothing_to_tell(tab: Tab) -> None:
    assert (violations(tab.page), tab.faults(), tab.overflow()) == ([], [], 0)


@pytest.mark.parametrize(
    ("deed", "rule"),
    [
        (
            "document.querySelector('label[for=id_address]').remove(); id_address.placeholder = ''",
            "label",
        ),
        ("document.querySelector('h1').remove()", "page-has-heading-one"),
        ("document.documentElement.removeAttribute('lang')", "html-has-lang"),
        ("document.querySelector('.lead, .hint').style.color = '#bbb'", "color-contrast"),
    ],
)
def test_axe_sees_what_shuts_people_out(tab: Tab, deed: str, rule: str) -> None:
    tab.page.evaluate(deed)
    assert rule in {fault.partition(":")[0] for fault in violations(tab.page)}


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        ("new Image().src = 'http://tracker.example/pixel.gif'", "tracker.example"),
        ("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">')", "style"),
        ("document.cookie = 'visitor=1'", "cookie visitor"),
        ("fetch('/subscribe/?address=ada@example.org')", "ada@example.org"),
        ("fetch('/nowhere/')", "404"),
        ("setTimeout(() => nothing.there(), 0)", "nothing"),
    ],
)
def test_a_tab_tells_what_a_page_does_behind_its_readers_back(tab: Tab, deed: str, told: str) -> None:
    tab.page.evaluate(f"() => {{ {deed} }}")
    tab.page.wait_for_load_state("networkidle")
    tab.page.wait_for_function("() => true")
    assert any(told in fault for fault in tab.faults()), tab.faults()


def test_what_is_too_wide_and_a_focus_nobody_sees(tab: Tab) -> None:
    tab.page.evaluate("document.querySelector('main').style.width = '500px'")
    assert tab.overflow() > 0
    tab.page.evaluate("for (const one of document.querySelectorAll('a')) one.style.outline = 'none'")
    with pytest.raises(AssertionError, match="nobody sees the focus"):
        tab.tab_to(tab.page.get_by_label("Email address"))
