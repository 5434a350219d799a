"""Who has no mouse is past the menu with two keys, on every page of the desk, and sees where they are."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.journeys.desk.at_the_desk import Opens

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_first_key_shows_the_way_past_the_menu(open_desk: Opens) -> None:
    desk = open_desk()
    for where in (
        reverse("admin:index"),
        reverse("admin:digest_edition_changelist"),
        reverse("admin:digest_edition_change", args=[desk.edition.pk]),
    ):
        desk.tab.open(where)
        skip = desk.page.get_by_role("link", name="Skip to the content")
        desk.tab.tab_to(skip, most=1)
        expect(skip).to_be_in_viewport()
        desk.press("Enter")
        desk.focuses("content")
