"""A curator understands an edition afterwards: figures, charts with their tables, files; or before it."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from digest import tallying
from digest.models import Edition
from subscribers.models import AuditEvent
from tests.cast import NOON
from tests.digest.desk.afterwards import an_edition_that_left
from tests.journeys import axe
from tests.journeys.browsing import PHONE, Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Opened = Callable[..., Tab]


@pytest.fixture
def edition(house: House) -> Edition:  # noqa: ARG001 - the house is furnished first
    left = an_edition_that_left(day=NOON.date() - timedelta(days=3))
    tallying.walk(left, at=NOON)
    return left


def photograph(tab: Tab, name: str) -> None:
    """Keep a picture where PAPERBOY_PICTURES names a folder."""
    if folder := os.environ.get("PAPERBOY_PICTURES"):
        tab.page.wait_for_timeout(300)
        tab.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, PHONE])
def test_the_page_can_be_read_by_everybody(desk: Opened, edition: Edition, width: int, scheme: str) -> None:
    tab = desk(width=width, color_scheme=scheme)
    tab.open(reverse("admin:edition_report", args=[edition.pk]))
    expect(tab.page.get_by_role("heading", name="What became of it")).to_be_visible()
    photograph(tab, f"afterwards-{width}-{scheme}")
    tab.page.get_by_text("The hours as a table").click()
    expect(tab.page.get_by_role("table").first).to_be_visible()
    assert axe.violations(tab.page) == []
    assert tab.overflow() == 0


def test_a_curator_goes_from_the_figures_to_a_file_by_keyboard(desk: Opened, edition: Edition) -> None:
    tab = desk()
    tab.open(reverse("admin:digest_edition_change", args=[edition.pk]))
    tab.page.get_by_role("link", name="Afterwards").click()
    row = tab.page.get_by_role("row").filter(has_text="Splats that remember").last
    expect(row).to_contain_text("40")
    expect(tab.page.get_by_text("+30")).to_be_visible()
    button = tab.page.get_by_role("button", name="CSV of papers")
    button.focus()
    with tab.page.expect_download() as download:
        tab.page.keyboard.press("Enter")
    assert "splats that remember" in Path(download.value.path()).read_text(encoding="utf-8").lower()
    assert AuditEvent.objects.filter(kind="exported", by_name="maria").count() == 1


def test_before_anything_has_left_the_way_leads_to_the_sending(desk: Opened, house: House) -> None:
    waiting = Edition.objects.create(day=NOON.date() + timedelta(days=1), opened_at=house.now)
    tab = desk()
    tab.open(reverse("admin:edition_report", args=[waiting.pk]))
    expect(tab.page.get_by_role("heading", name="Nothing has left yet")).to_be_visible()
    tab.page.get_by_role("link", name="See when it leaves").click()
    expect(tab.page).to_have_url(house.home + reverse("admin:edition_sending", args=[waiting.pk]))
