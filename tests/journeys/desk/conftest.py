"""A desk for each curator of a journey."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser
from pytest_django import Settings

from tests.digest.access.people import somebody
from tests.journeys.browsing import Tab
from tests.journeys.desk.at_the_desk import Desk, Opens
from tests.journeys.house import House


@pytest.fixture
def open_desk(house: House, chromium: Browser) -> Iterator[Opens]:
    """Give a maker of desks; what their pages complained of fails the test at its end."""
    desks: list[Desk] = []

    def opened(name: str = "maria", **wishes: Any) -> Desk:
        desks.append(Desk.of(house, chromium, name, **wishes))
        return desks[-1]

    yield opened
    complaints = [
        complaint
        for desk in desks
        for complaint in desk.tab.complaints
        if not complaint.endswith("/favicon.ico")
    ]
    for desk in desks:
        desk.page.context.close()
    assert complaints == []


@pytest.fixture
def desk(house: House, chromium: Browser, client: Client, settings: Settings) -> Iterator[Callable[..., Tab]]:
    """Give a maker of tabs in which a curator has logged in; what pages complain of fails the test."""
    client.force_login(somebody("curator", "maria"))
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    tabs: list[Tab] = []

    def opened(**wishes: Any) -> Tab:
        tab = Tab.of(chromium, house.home, **wishes)
        tabs.append(tab)
        scheme = wishes.get("color_scheme", "light")
        tab.page.add_init_script(
            f"try {{ localStorage.setItem('_x_adminTheme', '\"{scheme}\"') }} catch {{}}"
        )
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session.value, "url": house.home}
        tab.page.context.add_cookies([cookie])  # type: ignore[list-item]
        return tab

    yield opened
    complaints = [said for tab in tabs for said in tab.complaints]
    for tab in tabs:
        tab.page.context.close()
    assert complaints == []
