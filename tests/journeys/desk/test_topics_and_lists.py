"""A curator edits a topic and sees its papers change as they type, and takes a list along as a file."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Page, expect

from digest.models import Paper
from digest.rights import write_groups
from subscribers.models import AuditEvent, Topic
from tests.cast import a_paper, a_reader, a_topic
from tests.journeys.axe import violations
from tests.journeys.browsing import Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a-long-enough-word"
#: Unfold's scrolling boxes, all of one name, none of which we can give another.
UNFOLDS_OWN = ('landmark-unique: <div class="simplebar-content-wrapper"',)
Opened = Callable[..., Page]


@pytest.fixture
def open_desk(chromium: Browser, house: House) -> Iterator[Opened]:
    """Give a maker of browsers in which a curator has logged in and opened a page."""
    write_groups()
    user = User.objects.create_user("milena", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="curator"))
    tabs: list[Tab] = []

    def opened(path: str, width: int = 1280, scheme: str = "light") -> Page:
        tab = Tab.of(chromium, house.home, width=width, color_scheme=scheme, accept_downloads=True)
        tabs.append(tab)
        tab.open("/admin/login/?next=/admin/")
        tab.page.get_by_label("Username").fill("milena")
        tab.page.get_by_label("Password").fill(PASSWORD)
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_url(lambda url: "/login/" not in url)
        tab.open(path)
        return tab.page

    yield opened
    complaints = [said for tab in tabs for said in tab.complaints if "favicon" not in said]
    strangers = [url for tab in tabs for url in tab.asked if not url.startswith((house.home, "data:"))]
    for tab in tabs:
        tab.page.context.close()
    assert complaints == []
    assert strangers == []


def faults(page: Page) -> list[str]:
    return [one for one in violations(page) if not one.startswith(UNFOLDS_OWN)]


def test_a_topics_papers_change_while_it_is_typed(open_desk: Opened) -> None:
    topic = a_topic("knitting", categories=[], include=["crochet"])
    a_reader("", topic)
    a_paper("Crochet for robots", categories=["cs.RO"])
    a_paper("On purling", categories=["cs.LG"])
    page = open_desk(f"/admin/subscribers/topic/{topic.pk}/change/")
    live = page.get_by_role("region", name="What it would match")
    expect(live.get_by_role("link", name="Crochet for robots")).to_be_visible()
    expect(live).to_contain_text("the same as it is saved")
    include = page.get_by_label("Include")
    include.press("ControlOrMeta+a")
    include.press_sequentially("purling")
    expect(live).to_contain_text("1 more and 1 fewer than as it is saved")
    expect(live.get_by_role("listitem").first).to_contain_text("On purling")
    expect(live).to_contain_text("nothing names it any more")
    page.get_by_label("Categories").fill("cs.KNIT")
    expect(live.get_by_role("alert")).to_contain_text("arXiv has no category cs.KNIT")
    page.get_by_label("Categories").fill("")
    expect(live.get_by_role("alert")).to_have_count(0)
    topic.refresh_from_db()
    assert topic.include == ["crochet"]
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(lambda url: "change" not in url)
    topic.refresh_from_db()
    assert topic.include == ["purling"]


def test_a_topic_is_taken_from_its_readers_only_by_who_means_it(open_desk: Opened) -> None:
    topic = a_topic("knitting", include=["crochet"])
    a_reader("", topic)
    page = open_desk(f"/admin/subscribers/topic/{topic.pk}/change/")
    page.get_by_label("Active").uncheck(force=True)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This topic would be taken from 1 reader")).to_be_visible()
    assert Topic.objects.get(pk=topic.pk).active
    page.get_by_label("Yes, make it inactive").check(force=True)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(lambda url: "change" not in url)
    assert not Topic.objects.get(pk=topic.pk).active


def test_a_list_is_taken_along_as_a_file(open_desk: Opened) -> None:
    a_paper("=SUM(A1:A9) of all papers, “Fišer”", primary_category="cs.CV")
    page = open_desk("/admin/digest/paper/?q=Fišer")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download as CSV").click()
    assert taken.value.suggested_filename.startswith("papers-2026-03-04")
    text = Path(taken.value.path()).read_text(encoding="utf-8-sig")
    _header, *rows = csv.reader(io.StringIO(text))
    assert [row[0] for row in rows] == ["'=SUM(A1:A9) of all papers, “Fišer”"]
    assert AuditEvent.objects.filter(kind="exported").values_list("by_name", "detail").get() == (
        "milena",
        "as CSV, searched",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_keep_to_the_rules_and_to_the_screen(scheme: str, open_desk: Opened, house: House) -> None:
    topic = Topic.objects.latest("pk")
    pages = [
        f"/admin/subscribers/topic/{topic.pk}/change/",
        f"/admin/digest/paper/{Paper.objects.latest('pk').pk}/change/",
        *(f"/admin/digest/{name}/" for name in ("paper", "delivery", "candidate", "decision", "ingestrun")),
    ]
    for width in (1280, 400):
        page = open_desk(pages[0], width, scheme)
        for path in pages:
            page.goto(house.home + path)
            page.wait_for_load_state("networkidle")
            assert faults(page) == [], (path, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
