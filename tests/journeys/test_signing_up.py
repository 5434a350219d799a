"""Signing up with a finger, a mouse, the keyboard alone, and without JavaScript."""

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from subscribers.models import Interest, SignupRequest, Subscriber
from tests.journeys.browsing import DESKTOP, PHONE, Opened
from tests.journeys.front_door import (
    ADDRESS_FIELD,
    SUBSCRIBE,
    WORDS_FIELD,
    box,
    choose,
    open_words,
    preview_after,
    previewed,
    sign_up_with,
)
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "ada@example.org"
SCREENS = {"a desktop": {"width": DESKTOP}, "a phone": {"width": PHONE, "touch": True}}


def _confirmed(house: House) -> Subscriber:
    """Return the reader who has been sent one mail, which asks to confirm."""
    letter = house.newest(ADDRESS)
    assert letter.subject.startswith("Confirm")
    assert "/confirm/" in letter.way("/confirm/")
    return Subscriber.objects.get()


@pytest.mark.parametrize("screen", list(SCREENS))
@pytest.mark.parametrize("way", ["/", "/subscribe/"])
def test_a_reader_signs_up_sees_the_preview_follow_and_confirms(
    house: House, open_tab: Opened, screen: str, way: str
) -> None:
    tab = open_tab(**SCREENS[screen], timezone_id="Asia/Tokyo")
    page, asked = tab.page, []
    page.on("request", lambda one: asked.append(one.post_data) if one.url.endswith("/preview/") else None)
    tab.open(way)
    page.get_by_label(ADDRESS_FIELD).fill(ADDRESS)
    first = previewed(page, at_first=True)
    vision = preview_after(page, lambda: choose(page, "Computer vision"))
    open_words(page)
    words = page.get_by_label(WORDS_FIELD)
    both = preview_after(page, lambda: words.press_sequentially("proof assistants"), "proof assistants")
    assert first != vision != both
    expect(page.locator("#preview")).to_contain_text("because")
    assert set().union(*(parse_qs(body or "") for body in asked)) <= {"topics", "words"}, "never the address"
    assert tab.overflow() <= 0
    assert not SignupRequest.objects.exists(), "looking is not signing up"

    sign_up_with(house, page, ADDRESS)
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    reader = _confirmed(house)
    assert (reader.status, reader.time_zone) == (Subscriber.Status.PENDING, "Asia/Tokyo")
    tab.open(house.letters(ADDRESS)[-1].way("/confirm/"))
    expect(page.get_by_text("a…a@example.org").or_(page.get_by_text("@example.org")).first).to_be_visible()
    page.get_by_role("button", name="Confirm my subscription").click()
    expect(page.get_by_role("heading", name="You’re in")).to_be_visible()
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.ACTIVE
    assert list(reader.topics.values_list("slug", flat=True)) == ["computer-vision"]
    assert reader.interests.get(kind=Interest.Kind.WORDS).text == "proof assistants"
    tab.open(house.letters(ADDRESS)[0].way("/confirm/"))
    expect(page.get_by_role("heading", name="You’re in")).to_be_visible()


@pytest.mark.parametrize("way", ["/", "/subscribe/"])
def test_the_keyboard_alone_is_enough_and_always_shows_where_it_is(
    house: House, open_tab: Opened, way: str
) -> None:
    tab = open_tab()
    page, keys = tab.page, tab.page.keyboard
    tab.open(way)
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys.press("Enter")
    tab.tab_to(page.get_by_label(ADDRESS_FIELD))
    keys.type(ADDRESS)
    tab.tab_to(box(page, "Robotics and embodied AI"))
    preview_after(page, lambda: keys.press("Space"))
    expect(box(page, "Robotics and embodied AI")).to_be_checked()
    if page.locator("summary").first.is_visible():
        tab.tab_to(page.locator("summary").first)
        keys.press("Enter")
    tab.tab_to(page.get_by_label(WORDS_FIELD))
    preview_after(page, lambda: keys.type("tactile sensing"), "tactile sensing")
    tab.tab_to(page.get_by_label(ADDRESS_FIELD), key="Shift+Tab")
    house.later(seconds=20)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()

    reader = _confirmed(house)
    tab.open(house.letters(ADDRESS)[0].way("/confirm/"))
    tab.tab_to(page.get_by_role("button", name="Confirm my subscription"))
    keys.press("Enter")
    expect(page.get_by_role("heading", name="You’re in")).to_be_visible()
    tab.tab_to(page.get_by_role("link", name="Choose what you get"))
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Your digest")).to_be_visible()
    weekly = page.get_by_role("radio", name="Once a week")
    tab.tab_to(page.get_by_role("radio", name="Every day"))
    for _ in range(2):
        keys.press("ArrowRight")
    expect(weekly).to_be_checked()
    tab.tab_to(page.get_by_role("button", name="Save my choices"), most=200)
    keys.press("Space")
    expect(page.get_by_text("Saved.")).to_be_visible()
    reader.refresh_from_db()
    assert (reader.status, reader.frequency) == (Subscriber.Status.ACTIVE, "weekly")


@pytest.mark.parametrize("way", ["/", "/subscribe/"])
def test_without_javascript_a_button_shows_the_preview_and_nothing_typed_is_lost(
    house: House, open_tab: Opened, way: str
) -> None:
    tab = open_tab(width=PHONE, script=False)
    page = tab.page
    tab.open(way)
    page.get_by_label(ADDRESS_FIELD).fill(ADDRESS)
    choose(page, "Computer vision")
    open_words(page)
    page.get_by_label(WORDS_FIELD).fill("gaussian splatting")
    page.get_by_role("button", name="Show me what I would get").click()
    assert page.url == f"{house.home}/preview/"
    assert any(title.startswith("Splats That Remember") for title in previewed(page))
    expect(page.get_by_label(ADDRESS_FIELD)).to_have_value(ADDRESS)
    expect(box(page, "Computer vision")).to_be_checked()
    expect(page.get_by_label(WORDS_FIELD)).to_have_value("gaussian splatting")
    assert tab.overflow() <= 0

    sign_up_with(house, page, ADDRESS)
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    reader = _confirmed(house)
    assert reader.time_zone == "UTC", "nobody guessed"
    tab.open(house.letters(ADDRESS)[0].way("/confirm/"))
    page.get_by_role("button", name="Confirm my subscription").click()
    expect(page.get_by_role("heading", name="You’re in")).to_be_visible()
    page.get_by_role("link", name="Choose what you get").click()
    page.get_by_role("radio", name="Once a week").check()
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    reader.refresh_from_db()
    assert reader.frequency == "weekly"


def test_a_slip_is_explained_beside_its_field_and_costs_nothing_typed(house: House, open_tab: Opened) -> None:
    tab = open_tab(width=PHONE, touch=True)
    page = tab.page
    tab.open("/subscribe/")
    choose(page, "Computer vision")
    open_words(page)
    page.get_by_label(WORDS_FIELD).fill("proof assistants")
    sign_up_with(house, page, "ada@localhost")
    address = page.get_by_label(ADDRESS_FIELD)
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(address).to_have_accessible_description("The part after the @ needs a dot, as in example.org.")
    expect(box(page, "Computer vision")).to_be_checked()
    expect(page.get_by_label(WORDS_FIELD)).to_have_value("proof assistants")
    address.fill(ADDRESS)
    address.press("Enter")
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert _confirmed(house).address == ADDRESS


def test_who_presses_too_soon_presses_once_more(house: House, open_tab: Opened) -> None:
    tab = open_tab()
    page = tab.page
    tab.open("/subscribe/")
    page.get_by_label(ADDRESS_FIELD).fill(ADDRESS)
    page.get_by_role("button", name=SUBSCRIBE, exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("once more")
    expect(page.get_by_label(ADDRESS_FIELD)).to_have_value(ADDRESS)
    house.later(seconds=20)
    page.get_by_role("button", name=SUBSCRIBE, exact=True).click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()


def test_a_link_fills_the_form_and_a_reader_who_comes_again_gets_the_way_to_their_choices(
    house: House, open_tab: Opened
) -> None:
    tab = open_tab()
    page = tab.page
    for _ in range(2):
        tab.open("/subscribe/?topic=computer-vision&q=gaussian+splatting&topic=no-such-topic")
        expect(box(page, "Computer vision")).to_be_checked()
        expect(page.get_by_label(WORDS_FIELD)).to_have_value("gaussian splatting")
        assert any(title.startswith("Splats That Remember") for title in previewed(page))
        sign_up_with(house, page, ADDRESS)
        expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
        letter = house.newest(ADDRESS)
        if letter.subject.startswith("Confirm"):
            tab.open(letter.way("/confirm/"))
            page.get_by_role("button", name="Confirm my subscription").click()
            expect(page.get_by_role("heading", name="You’re in")).to_be_visible()
            house.work()
    again = next(one for one in house.letters(ADDRESS) if "already subscribed" in one.subject)
    tab.open(again.way("/preferences/"))
    expect(page.get_by_role("heading", name="Your digest")).to_be_visible()
