"""A curator looks at the mail in every view, sends themselves a test, and sees what changes for whom."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Route, expect

from digest.models import Edition, Paper
from digest.rights import write_groups
from digest.tasks import reckon
from tests.cast import a_reader
from tests.journeys.axe import violations
from tests.journeys.browsing import Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a-long-enough-word"
LIGHT_GROUND, DARK_GROUND = "rgb(250, 248, 244)", "rgb(22, 21, 19)"
#: Told by Chromium when a frame without scripts meets what a test put into every page.
_OF_THE_TEST = "The document is sandboxed"
Opened = Callable[..., Page]


@pytest.fixture
def curator(house: House) -> User:  # noqa: ARG001 - the house is furnished first
    write_groups()
    user = User.objects.create_user("milena", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="curator"))
    return user


@pytest.fixture
def open_preview(chromium: Browser, house: House, curator: User) -> Iterator[Opened]:
    """Give a maker of browsers in which a curator has logged in and opened the preview of today's edition."""
    tabs: list[Tab] = []

    def opened(width: int = 1280, scheme: str = "light", more: str = "") -> Page:
        tab = Tab.of(chromium, house.home, width=width, color_scheme=scheme)
        tabs.append(tab)
        tab.page.add_init_script(
            f"try {{ localStorage.setItem('_x_adminTheme', '\"{scheme}\"') }} catch {{}}"
        )
        # The mail names pictures by the house's public name; the browser finds the house under it.
        tab.page.context.route(f"{settings.SITE_URL}/**", lambda route: answered(route, house.home))
        tab.open("/admin/login/?next=/admin/")
        tab.page.get_by_label("Username").fill(curator.username)
        tab.page.get_by_label("Password").fill(PASSWORD)
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_url(lambda url: "/login/" not in url)
        edition = Edition.objects.latest("day")
        tab.open(f"/admin/digest/edition/{edition.pk}/preview/{more}")
        return tab.page

    yield opened
    complaints = [said for tab in tabs for said in tab.complaints if not expected(said)]
    ours = (house.home, settings.SITE_URL, "data:")
    strangers = [url for tab in tabs for url in tab.asked if not url.startswith(ours)]
    for tab in tabs:
        tab.page.context.close()
    assert complaints == []
    assert strangers == []


def expected(complaint: str) -> bool:
    """Say whether a complaint is what the test asks for: pictures forbidden, scripts of a mail blocked."""
    blocked = complaint.startswith("Blocked script execution in") and "/preview/mail/" in complaint
    return blocked or _OF_THE_TEST in complaint or "img-src" in complaint or "favicon" in complaint


def answered(route: Route, home: str) -> None:
    path = urlsplit(route.request.url).path
    route.fulfill(response=route.fetch(url=home + path))


def mail_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe.pv-frame")


def ground(page: Page) -> str:
    """Return the colour that the mail in the frame stands on."""
    return str(mail_of(page).locator("div.bg").first.evaluate("one => getComputedStyle(one).backgroundColor"))


def look(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Ways to look at the mail").get_by_role("link", name=name).click()


def wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_a_curator_looks_at_the_mail_in_every_view(open_preview: Opened) -> None:
    page = open_preview()
    mail = mail_of(page)
    expect(mail.get_by_text("Daily Papers").first).to_be_visible()
    expect(page.get_by_text("Robotics engineer, weekly").first).to_be_visible()
    assert ground(page) == LIGHT_GROUND
    pictures = mail.locator("td.th img")
    assert pictures.first.evaluate("one => one.naturalWidth") > 0

    look(page, "Dark")
    expect(mail.get_by_text("Daily Papers").first).to_be_visible()
    assert ground(page) == DARK_GROUND

    look(page, "Phone")
    expect(mail.get_by_text("Daily Papers").first).to_be_visible()
    assert page.locator("iframe.pv-frame").evaluate("one => one.clientWidth") == 375
    assert mail.locator("html").evaluate("one => one.scrollWidth") <= 375

    look(page, "Plain text")
    expect(page.locator(".pv-text")).to_contain_text("Unsubscribe")
    look(page, "Headers")
    expect(page.locator(".pv-headers")).to_contain_text("List-Unsubscribe-Post")


def test_with_images_off_none_is_loaded_and_their_texts_are_seen(open_preview: Opened) -> None:
    page = open_preview()
    expect(mail_of(page).get_by_text("Daily Papers").first).to_be_visible()
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url))
    look(page, "Images off")
    expect(mail_of(page).get_by_text("Daily Papers").first).to_be_visible()
    picture = mail_of(page).locator("td.th img").first
    assert picture.evaluate("one => one.naturalWidth") == 0
    assert picture.get_attribute("alt") is not None
    assert [url for url in asked if "/thumbnails/" in url] == []


@pytest.mark.parametrize(
    ("scheme", "view", "colour"), [("dark", "Desktop", LIGHT_GROUND), ("dark", "Dark", DARK_GROUND)]
)
def test_the_views_do_not_follow_the_curators_own_screen(
    open_preview: Opened, scheme: str, view: str, colour: str
) -> None:
    page = open_preview(scheme=scheme)
    look(page, view)
    expect(mail_of(page).get_by_text("Daily Papers").first).to_be_visible()
    assert ground(page) == colour


def test_no_script_of_a_mail_runs(open_preview: Opened) -> None:
    page = open_preview()
    mail = mail_of(page)
    expect(mail.get_by_text("Daily Papers").first).to_be_visible()
    frame = page.frames[-1]
    frame.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=`ran`\">')"
    )
    page.wait_for_timeout(300)
    assert frame.title() != "ran"


def test_a_mix_of_ones_own_by_keyboard_and_then_a_test_mail(open_preview: Opened, house: House) -> None:
    page = open_preview()
    page.get_by_text("A mix of your own").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Robotics").select_option("2")
    page.get_by_label("In their own words").fill("gaussian splatting")
    page.get_by_label("Papers in a digest").fill("6")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The mail for: your own mix")).to_be_visible()
    expect(page.locator(".pv-size")).to_contain_text("6 papers")

    page.get_by_label("Your address").fill("Not an address")
    page.get_by_role("button", name="Keep this address").click()
    if page.get_by_role("alert").count() == 0:  # the browser itself refused to send it
        assert page.get_by_label("Your address").evaluate("one => !one.checkValidity()")
    page.get_by_label("Your address").fill("milena@example.org")
    page.get_by_role("button", name="Keep this address").click()
    page.get_by_role("button", name="Send a test to m•••@example.org").click()
    expect(page.get_by_text("the mail server took it")).to_be_visible()
    (letter,) = house.letters("milena@example.org")
    assert letter.subject.startswith("[Test] ")
    assert " 6. " in letter.text
    assert " 7. " not in letter.text


def test_what_changes_for_whom_comes_by_itself(open_preview: Opened) -> None:
    page = open_preview(more="reach/")
    expect(page.get_by_role("status").filter(has_text="Being reckoned")).to_be_visible()
    reckon()
    expect(page.get_by_text("due to get this edition")).to_be_visible()
    assert Paper.objects.count() > 3
    expect(page.get_by_text(re.compile(r"of \d+ papers reach"))).to_be_visible()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_can_be_used_by_everybody(open_preview: Opened, width: int, scheme: str) -> None:
    a_reader()
    page = open_preview(width, scheme)
    reckon()
    for view in ("Desktop", "Phone", "Plain text", "Headers"):
        look(page, view)
        page.get_by_text("A mix of your own").click()
        assert faults_of(page) == [], view
        assert wide(page) <= 0, view
    page.get_by_role("link", name="What changes for whom").click()
    assert faults_of(page) == []
    assert wide(page) <= 0


def faults_of(page: Page) -> list[str]:
    """Return what axe finds on the loaded page."""
    page.wait_for_load_state()
    return violations(page)


def test_each_view_is_reached_by_keyboard_and_shows_the_focus(open_preview: Opened) -> None:
    page = open_preview()
    link: Locator = page.get_by_role("link", name="Headers")
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert link.evaluate("one => parseFloat(getComputedStyle(one).outlineWidth)") >= 2
    page.keyboard.press("Enter")
    expect(page.locator(".pv-headers")).to_be_visible()
