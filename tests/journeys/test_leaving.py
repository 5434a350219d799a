"""Leaving: the mail program's button, the page's, fewer mails instead, a reason, and coming back."""

import httpx
import pytest
from playwright.sync_api import expect

from digest.models import Edition
from subscribers.models import LeavingReason, Subscriber
from tests.cast import a_reader
from tests.journeys.browsing import PHONE, Opened
from tests.journeys.house import House, Letter
from tests.journeys.rows import changed, rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "ada@example.org"
Status = Subscriber.Status


@pytest.fixture
def reader(house: House) -> Subscriber:
    """A reader who has confirmed just now."""
    return a_reader(ADDRESS, confirmed_at=house.now)


@pytest.fixture
def digest(house: House, reader: Subscriber) -> Letter:  # noqa: ARG001 - who gets it
    """Their first digest."""
    letter = house.newest(ADDRESS)
    assert Edition.objects.latest("day").enrolled == 1
    return letter


def test_one_click_in_the_mail_program_ends_it_before_the_answer_and_as_often_as_pressed(
    house: House, reader: Subscriber, digest: Letter
) -> None:
    """RFC 8058 section 3.1: a POST without cookie or referrer, and no redirect follows."""
    form = {"List-Unsubscribe": "One-Click"}
    for attempt in (
        {"data": form},
        {"data": form},
        {"content": b""},
        {"files": {"List-Unsubscribe": "One-Click"}},
    ):
        answer = httpx.post(house.home + digest.one_click, **attempt)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        reader.refresh_from_db()
        assert reader.status == Status.UNSUBSCRIBED
    house.later(days=1)
    house.work()
    assert len(house.letters(ADDRESS)) == 1


def test_a_reader_leaves_by_the_page_says_why_and_takes_it_back(
    open_tab: Opened, reader: Subscriber, digest: Letter
) -> None:
    page = (tab := open_tab(width=PHONE, touch=True)).page
    tab.open(digest.way("/u/"))
    reader.refresh_from_db()
    assert reader.status == Status.ACTIVE, "looking is not leaving"
    page.get_by_role("button", name="Unsubscribe", exact=True).tap()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    reader.refresh_from_db()
    assert reader.status == Status.UNSUBSCRIBED

    page.get_by_role("button", name="Send", exact=True).tap()
    expect(page.get_by_text("Please choose a reason")).to_be_visible()
    page.get_by_label("Too many mails").check()
    page.get_by_label("Anything to add?").fill("Ten a day is a lot.")
    page.get_by_role("button", name="Send", exact=True).tap()
    expect(page.get_by_role("status")).to_have_text("Thank you. That helps.")
    told = LeavingReason.objects.get()
    assert (told.reason, told.words) == ("too_many", "Ten a day is a lot.")
    assert tab.overflow() <= 0

    page.get_by_role("button", name="Keep sending it to me").tap()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    reader.refresh_from_db()
    assert reader.status == Status.ACTIVE


def test_after_half_an_hour_nothing_is_taken_back(
    house: House, open_tab: Opened, reader: Subscriber, digest: Letter
) -> None:
    page = (tab := open_tab(script=False)).page
    tab.open(digest.way("/u/"))
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    house.later(minutes=31)
    page.get_by_role("button", name="Keep sending it to me").click()
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    reader.refresh_from_db()
    assert reader.status == Status.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("button", "heading"),
    [("Once a week instead", "Once a week, then"), ("Pause for two weeks", "Have a good break")],
)
def test_fewer_mails_instead_of_none(
    open_tab: Opened, reader: Subscriber, digest: Letter, button: str, heading: str
) -> None:
    page = (tab := open_tab(width=PHONE, touch=True)).page
    tab.open(digest.way("/u/"))
    page.get_by_role("button", name=button).tap()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    reader.refresh_from_db()
    assert reader.status == Status.ACTIVE
    assert (reader.frequency == "weekly") != (reader.paused_until is not None)


def test_a_scanner_with_a_browser_of_its_own_presses_nothing_and_changes_no_row(
    open_tab: Opened, digest: Letter
) -> None:
    before = rows()
    tab = open_tab()
    home = tab.home.partition("//")[2]
    ours = {link.partition("#")[0] for link in digest.links if "//papers.example.org" in link}
    for link in sorted(link for link in ours if "/thumbnails/" not in link):
        tab.open(link.partition("papers.example.org")[2] or "/")
        tab.page.wait_for_load_state("networkidle")
    assert {url.partition("//")[2].partition("/")[0] for url in tab.asked} == {home}
    assert any("/preview/" in url for url in tab.asked), "the pages' scripts have run"
    assert changed(before) == {}
