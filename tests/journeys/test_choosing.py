"""The preference centre and the account in a browser: choosing, moving, taking along, being erased."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from subscribers.models import AddressChange, Interest, Preference, Subscriber
from tests.cast import a_reader, a_topic
from tests.journeys.browsing import DESKTOP, PHONE, Opened, Tab
from tests.journeys.front_door import preview_after, previewed
from tests.journeys.house import House
from tests.subscribers.door.visits import choosing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OLD, NEW = "ada@example.org", "ada.new@example.org"


@pytest.fixture
def reader(house: House) -> Subscriber:  # noqa: ARG001 - furnishes
    """An active reader of language models."""
    return a_reader(OLD, a_topic("language-models", name="Large language models"))


def _account(house: House, tab: Tab, reader: Subscriber) -> str:
    """Ask for the account's link on the preferences page; return its path from the mail."""
    tab.open(choosing(reader))
    tab.page.get_by_role("button", name="Mail me a link").click()
    expect(tab.page.get_by_text("A mail with the link is on its way to")).to_be_visible()
    return house.way(reader.address, "/account/")


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_a_reader_weighs_topics_leaves_things_out_and_sees_what_it_brings(
    open_tab: Opened, reader: Subscriber, width: int
) -> None:
    tab = open_tab(width=width, touch=width == PHONE)
    page = tab.page
    tab.open(choosing(reader))
    seen = [previewed(page)]
    robots = page.get_by_role("group", name="Robotics and embodied AI")
    seen.append(preview_after(page, robots.get_by_label("More").click))
    words = page.get_by_label("Subjects, in your own words")
    seen.append(preview_after(page, lambda: words.press_sequentially("gaussian splatting"), "splatting"))
    assert any(title.startswith("Splats That Remember") for title in seen[-1])
    unwanted = page.get_by_label("Never show me")
    seen.append(preview_after(page, lambda: unwanted.press_sequentially("splatting"), "excluded=splatting"))
    assert not any(title.startswith("Splats That Remember") for title in seen[-1])
    assert len({tuple(titles) for titles in seen}) >= 3
    assert not Interest.objects.exists(), "looking saves nothing"

    expect(page.get_by_label("Day, if once a week")).to_be_hidden()
    page.get_by_role("radio", name="Once a week").click()
    page.get_by_label("Day, if once a week").select_option("Friday")
    page.get_by_label("Papers in a digest").fill("25")
    page.get_by_label("Time of day").fill("06:30")
    page.get_by_label("Time zone").select_option("Europe/Paris")
    page.get_by_label("Authors you follow").fill("Ada Example")
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_text("Saved. Your next digest follows these choices.")).to_be_visible()
    assert tab.overflow() <= 0

    reader.refresh_from_db()
    assert (reader.frequency, reader.weekday, reader.send_minute) == ("weekly", 4, 390)
    assert (reader.size, reader.time_zone) == (25, "Europe/Paris")
    weights = dict(Preference.objects.values_list("topic__slug", "weight"))
    assert weights == {"language-models": 1, "robotics": 2}
    kept = set(Interest.objects.values_list("kind", "text"))
    assert kept == {("words", "gaussian splatting"), ("author", "Ada Example"), ("exclude", "splatting")}


def test_a_slip_on_the_long_page_is_named_and_nothing_is_lost(open_tab: Opened, reader: Subscriber) -> None:
    tab = open_tab(width=PHONE, touch=True)
    page = tab.page
    tab.open(choosing(reader))
    page.get_by_label("Never show me").fill("blockchain")
    page.get_by_label("Papers in a digest").fill("99")
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is saved yet")
    size = page.get_by_label("Papers in a digest")
    expect(size).to_have_accessible_description("A digest has 25 papers at most.")
    expect(page.get_by_label("Never show me")).to_have_value("blockchain")
    size.fill("20")
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert Interest.objects.get().text == "blockchain"


def test_a_reader_takes_a_break_and_comes_back(open_tab: Opened, reader: Subscriber) -> None:
    page = (tab := open_tab(width=PHONE, touch=True)).page
    tab.open(choosing(reader))
    page.get_by_role("button", name="Two weeks").click()
    expect(page.get_by_text("Paused. The first digest comes again on 18 March 2026")).to_be_visible()
    page.get_by_role("button", name="Resume now").click()
    expect(page.get_by_text("Welcome back")).to_be_visible()
    reader.refresh_from_db()
    assert reader.paused_until is None


def test_without_javascript_a_break_saves_the_choices_too_and_a_slip_is_led_to(
    open_tab: Opened, reader: Subscriber
) -> None:
    page = (tab := open_tab(width=PHONE, script=False)).page
    tab.open(choosing(reader))
    page.get_by_label("Subjects, in your own words").fill("gaussian splatting")
    page.get_by_label("Papers in a digest").fill("99")
    page.get_by_role("button", name="Two weeks").click()
    expect(page.get_by_role("alert")).to_be_in_viewport()
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.get_by_label("Papers in a digest")).to_be_in_viewport()
    page.get_by_label("Papers in a digest").fill("20")
    page.get_by_role("button", name="Two weeks").click()
    expect(page.get_by_text("Paused.")).to_be_visible()
    reader.refresh_from_db()
    assert (reader.size, Interest.objects.get().text) == (20, "gaussian splatting")


def test_without_javascript_everything_can_be_chosen_and_previewed(
    open_tab: Opened, reader: Subscriber
) -> None:
    page = (tab := open_tab(script=False)).page
    tab.open(choosing(reader))
    page.get_by_role("group", name="Robotics and embodied AI").get_by_label("More").click()
    page.get_by_label("Subjects, in your own words").fill("gaussian splatting")
    page.get_by_role("button", name="Show me what I would get").click()
    assert any(title.startswith("Splats That Remember") for title in previewed(page))
    page.go_back()
    expect(page.get_by_label("Subjects, in your own words")).to_have_value("gaussian splatting")
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert dict(Preference.objects.values_list("topic__slug", "weight"))["robotics"] == 2
    assert Interest.objects.get().text == "gaussian splatting"


def test_an_address_moves_when_both_mailboxes_agree(
    house: House, open_tab: Opened, reader: Subscriber
) -> None:
    page = (tab := open_tab(width=PHONE, touch=True)).page
    tab.secrets.append("ada")
    tab.open(_account(house, tab, reader))
    page.get_by_label("New email address").fill(NEW)
    page.get_by_role("button", name="Ask the new address").click()
    expect(page.get_by_role("status")).to_contain_text("a mail is on its way there")
    way = house.way(NEW, "/address/")
    reader.refresh_from_db()
    assert reader.address == OLD, "asking is not moving"
    tab.open(way)
    reader.refresh_from_db()
    assert reader.address == OLD, "looking is not moving"
    page.get_by_role("button", name="Yes, send it here").click()
    expect(page.get_by_role("heading", name="It comes here now")).to_be_visible()
    reader.refresh_from_db()
    assert (reader.address, reader.status) == (NEW, Subscriber.Status.ACTIVE)
    assert list(reader.topics.values_list("slug", flat=True)) == ["language-models"]
    assert not AddressChange.objects.exists()
    assert NEW not in house.newest(OLD).text, "the notice does not tell where to"


def test_a_reader_takes_their_data_along_and_is_erased(
    house: House, open_tab: Opened, reader: Subscriber, tmp_path: Path
) -> None:
    page = (tab := open_tab()).page
    house.work()  # a digest, so that there is something to tell
    way = _account(house, tab, reader)
    tab.open(way)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download my data").click()
    waiting.value.save_as(tmp_path / "data.json")
    data = json.loads((tmp_path / "data.json").read_text(encoding="utf-8"))
    assert OLD in json.dumps(data)
    assert "language-models" in json.dumps(data) or "Large language models" in json.dumps(data)

    page.get_by_text("What goes, what stays, and the button").click()
    page.get_by_role("button", name="Erase everything about me").click()
    expect(page.get_by_role("heading", name="Everything about you is erased")).to_be_visible()
    assert not Subscriber.objects.exists()
    assert tab.open(way).status == 410
    assert tab.open(way + "/data").status == 410
    mails = len(house.letters(OLD))
    house.later(days=1)
    house.work()
    assert len(house.letters(OLD)) == mails


def test_the_link_to_the_account_works_for_half_an_hour(
    house: House, open_tab: Opened, reader: Subscriber
) -> None:
    tab = open_tab()
    way = _account(house, tab, reader)
    house.later(minutes=29)
    assert tab.open(way).status == 200
    house.later(minutes=1)
    assert tab.open(way).status == 410
    expect(tab.page.get_by_role("heading", name="This link does not work")).to_be_visible()
