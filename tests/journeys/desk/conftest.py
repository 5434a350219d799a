"""A desk for each curator of a journey."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

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
