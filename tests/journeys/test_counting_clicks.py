"""A reader turns the counting of clicks on, follows a paper, and turns it off again."""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import expect

from digest.models import Click, Delivery
from subscribers.models import ConsentEvent, Subscriber
from tests.cast import a_reader, a_topic
from tests.journeys.axe import violations
from tests.journeys.browsing import PHONE, Tab
from tests.journeys.house import House
from tests.subscribers.door.visits import choosing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0", "Accept": "text/html"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_counting_is_off_until_turned_on_and_as_easily_off_again(
    open_tab: Callable[..., Tab], house: House, scheme: str
) -> None:
    reader = a_reader("ada@example.org", a_topic("language-models"), send_minute=11 * 60)
    tab = open_tab(width=PHONE, color_scheme=scheme)
    page = tab.page
    tab.open(choosing(reader))
    box = page.get_by_label("Count which papers I open")
    expect(box).not_to_be_checked()
    assert violations(page) == []
    assert tab.overflow() == 0
    box.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_text("Saved. Your next digest follows these choices.")).to_be_visible()
    expect(box).to_be_checked()
    assert ConsentEvent.objects.get(kind="tracking_on").subscriber == reader

    house.work()
    letter = house.newest("ada@example.org")
    counted = [link for link in letter.links if "/c/" in link]
    assert len(counted) >= 5
    house.later(minutes=5)
    answer = Client(SERVER_NAME="localhost").get(letter.way("/c/"), headers=BROWSER)
    assert answer.status_code == 302
    assert "/c/" not in answer["Location"]
    click = Click.objects.get()
    assert (click.robot, click.delivery) == ("", Delivery.objects.get(subscriber=reader))

    box.uncheck()
    page.get_by_role("button", name="Save my choices").click()
    expect(box).not_to_be_checked()
    assert not Click.objects.exists()
    assert Subscriber.objects.get(pk=reader.pk).clicks_counted_since is None
