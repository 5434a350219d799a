"""The desk's first page on screens: each state of a day, wide and narrow, light and dark, by keyboard."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from digest import curation
from digest.models import Edition, Paper
from digest.rights import write_groups
from subscribers.models import Subscriber
from tests.digest.desk.working_day import a_working_day
from tests.journeys.axe import violations
from tests.journeys.browsing import DESKTOP, Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW = 400
Opened = Callable[..., Tab]


@pytest.fixture
def open_first_page(chromium: Browser, house: House) -> Iterator[Opened]:
    """Give a maker of browsers in which a curator has logged in and opened the first page."""
    write_groups()
    curator = User.objects.create_user("milena", password="a-long-enough-word", is_staff=True)
    curator.groups.add(Group.objects.get(name="curator"))
    client = Client()
    client.force_login(curator)
    tabs: list[Tab] = []

    def opened(width: int = DESKTOP, scheme: str = "light") -> Tab:
        tab = Tab.of(chromium, house.home, width=width, color_scheme=scheme)
        tabs.append(tab)
        session = client.cookies["sessionid"].value
        tab.page.context.add_cookies([{"name": "sessionid", "value": session, "url": f"{house.home}/admin/"}])
        answer = tab.open("/admin/")
        assert answer.status == 200
        assert tab.page.url.endswith("/admin/")
        return tab

    yield opened
    faults = [fault for tab in tabs for fault in tab.faults() if not fault.startswith("cookie ")]
    for tab in tabs:
        tab.page.context.close()
    assert faults == []


def nothing_here() -> None:
    Edition.objects.all().delete()
    Paper.objects.all().delete()
    Subscriber.objects.all().delete()


def a_new_installation() -> str:
    return "No papers yet"


def a_day_under_way() -> str:
    a_working_day()
    return "3 of 6"


def a_pause() -> str:
    edition = a_working_day()
    curation.pause(edition, reason="Half of them bounced.")
    return "Half of them bounced."


def a_source_that_failed() -> str:
    a_working_day()
    Edition.objects.update(missing_sources=["arxiv"])
    return "went out without arXiv"


def charts(page: Page) -> int:
    """Return how many charts are drawn."""
    count: int = page.evaluate(
        "[...document.querySelectorAll('canvas')].filter(one => Chart.getChart(one)?.data.labels[0]).length"
    )
    return count


@pytest.mark.parametrize("state", [a_new_installation, a_day_under_way, a_pause, a_source_that_failed])
def test_every_state_reads_well_wide_and_narrow_light_and_dark(
    open_first_page: Opened, state: Callable[[], str]
) -> None:
    nothing_here()
    sentence = state()
    for width in (DESKTOP, NARROW):
        for scheme in ("light", "dark"):
            tab = open_first_page(width, scheme)
            expect(tab.page.get_by_role("main")).to_contain_text(sentence)
            assert tab.overflow() == 0, (width, scheme)
            assert violations(tab.page) == [], (width, scheme)


def test_the_charts_are_drawn_from_the_table_which_opens_by_keyboard(open_first_page: Opened) -> None:
    nothing_here()
    a_working_day()
    tab = open_first_page()
    assert charts(tab.page) == 2
    summary = tab.page.get_by_text("as a table")
    table = tab.page.get_by_role("region", name="Readers by day")
    expect(table).not_to_be_visible()
    tab.tab_to(summary)
    tab.page.keyboard.press("Enter")
    expect(table.get_by_role("row")).to_have_count(7)
    drawn = tab.page.evaluate(
        "Chart.getChart(document.querySelector('canvas[data-of=active]')).data.datasets[0].data"
    )
    assert drawn == [1, 2, 3, 4, 5, 6]


def test_colours_change_at_a_press_and_the_charts_with_them(open_first_page: Opened) -> None:
    nothing_here()
    a_working_day()
    page = open_first_page().page
    colour = "Chart.getChart(document.querySelector('canvas[data-of=active]')).data.datasets[0].borderColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="milena").click()
    page.get_by_role("button", name="Dark").click()
    page.wait_for_function("document.documentElement.classList.contains('dark')")
    assert page.evaluate(colour) != light
    assert charts(page) == 2
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Dark")).not_to_be_visible()


def test_the_menu_opens_on_a_phone_and_leads_on(open_first_page: Opened) -> None:
    tab = open_first_page(NARROW)
    page = tab.page
    editions = page.get_by_role("navigation").get_by_role("link", name="Editions")
    expect(editions).not_to_be_visible()
    tab.tab_to(page.get_by_role("button", name="Menu"))
    page.keyboard.press("Enter")
    editions.click()
    page.wait_for_url("**/admin/digest/edition/")
    assert tab.overflow() == 0
    expect(page.get_by_role("navigation").get_by_role("link", name="Readers")).to_have_count(0)


def test_the_checklist_leads_to_the_work(open_first_page: Opened) -> None:
    page = open_first_page().page
    page.get_by_role("link", name="Shaped").click()
    page.wait_for_url("**/change/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("4 March 2026")
