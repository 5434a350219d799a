"""The choices' preview hears what it needs and no more; the browser's own time zone is offered."""

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from subscribers.models import Subscriber
from tests.cast import a_reader, a_topic
from tests.journeys.browsing import PHONE, Opened
from tests.journeys.house import House
from tests.subscribers.door.visits import choosing, weight

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def reader(house: House) -> Subscriber:  # noqa: ARG001 - furnishes
    """An active reader of computer vision."""
    return a_reader("ada@example.org", a_topic("computer-vision", name="Computer vision"))


def test_the_preview_is_asked_with_topics_texts_and_size_alone(open_tab: Opened, reader: Subscriber) -> None:
    tab = open_tab()
    with tab.page.expect_request("**/preview/") as first:
        tab.open(choosing(reader))
    robots = weight(a_topic("robotics", name="Robotics and embodied AI"))
    with tab.page.expect_request("**/preview/") as second:
        tab.page.locator(f"[name={robots}][value='2']").check()
    for request in (first.value, second.value):
        told = parse_qs(request.post_data or "", keep_blank_values=True)
        topics = {name for name in told if name.startswith("topic-")}
        assert set(told) - topics == {"words", "authors", "excluded", "size"}
        assert "/preferences/" not in request.headers.get("referer", ""), "the link is a key to the choices"
    assert parse_qs(second.value.post_data or "")[robots] == ["2"]


def test_without_javascript_a_button_shows_it_and_the_way_back_keeps_what_was_typed(
    open_tab: Opened, reader: Subscriber
) -> None:
    tab = open_tab(script=False, width=PHONE)
    tab.open(choosing(reader))
    tab.page.get_by_label("Subjects, in your own words").fill("gaussian splatting")
    expect(tab.page.get_by_role("button", name="Use my browser’s zone")).to_be_hidden()
    tab.page.get_by_role("button", name="Show me what I would get").click()
    expect(tab.page.get_by_text("because it matches “gaussian splatting”").first).to_be_visible()
    tab.page.go_back()
    expect(tab.page.get_by_label("Subjects, in your own words")).to_have_value("gaussian splatting")


def test_the_browsers_zone_is_offered_where_it_differs_and_taken_by_a_press(
    open_tab: Opened, reader: Subscriber
) -> None:
    tab = open_tab(timezone_id="Asia/Kolkata")
    tab.open(choosing(reader))
    offer = tab.page.get_by_role("button", name="Use my browser’s zone")
    offer.click()
    expect(offer).to_be_hidden()
    tab.page.get_by_role("button", name="Save my choices").click()
    expect(tab.page.get_by_text("Saved. Your next digest follows these choices.")).to_be_visible()
    reader.refresh_from_db()
    assert reader.time_zone in {"Asia/Kolkata", "Asia/Calcutta"}
    expect(offer).to_be_hidden()
