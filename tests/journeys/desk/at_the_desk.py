"""Curators at the desk of today's edition, each in a browser of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Locator, Page, expect

from digest.models import Edition
from digest.rights import write_groups
from tests.journeys.browsing import Tab
from tests.journeys.house import House


@dataclass
class Desk:
    """The desk of `edition` in one curator's browser."""

    tab: Tab
    edition: Edition

    @property
    def page(self) -> Page:
        return self.tab.page

    @classmethod
    def of(cls, house: House, browser: Browser, name: str = "maria", **wishes: Any) -> "Desk":
        """Log a curator in and open today's edition, frozen."""
        write_groups()
        user = User.objects.create_user(name, password="a-long-enough-word", is_staff=True)
        user.groups.add(Group.objects.get(name="curator"))
        client = Client()
        client.force_login(user)
        edition = Edition.objects.order_by("-day")[0]
        Edition.objects.filter(pk=edition.pk, state=Edition.State.APPROVED).update(state=Edition.State.FROZEN)
        tab = Tab.of(browser, house.home, **wishes)
        session = client.cookies["sessionid"].value
        tab.page.context.add_cookies([{"name": "sessionid", "value": session, "url": house.home}])
        desk = cls(tab, edition)
        desk.open()
        return desk

    def open(self, query: str = "") -> None:
        """Load the desk."""
        self.tab.open(reverse("admin:digest_edition_change", args=[self.edition.pk]) + query)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def rows(self) -> Locator:
        """Return the papers in view."""
        return self.page.locator(".pb-row")

    def pinned(self) -> list[str]:
        """Return the pinned papers' titles as the database has them."""
        found = self.edition.candidates.exclude(pin=None).order_by("pin")
        return list(found.values_list("paper__title", flat=True))

    def title(self, place: int) -> str:
        """Return the title of the paper at `place`, from 0."""
        return self.rows().nth(place).get_attribute("data-title") or ""

    def hears(self, text: str) -> None:
        """Expect the live region to say `text`."""
        expect(self.page.locator("#pb-said")).to_contain_text(text)

    def focused(self) -> str:
        """Return the id of what has the focus this moment."""
        found: str = self.page.evaluate("document.activeElement.id || document.activeElement.tagName")
        return found

    def focuses(self, key: str) -> None:
        """Expect what has the id `key` to get the focus: htmx settles after the rows are there."""
        expect(self.page.locator(f"[id='{key}']")).to_be_focused()


Opens = Callable[..., Desk]
