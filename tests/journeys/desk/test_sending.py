"""A curator lets an edition go, watches it leave, stops it, lets it go on, and calls it off: by keyboard."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from digest import advancing, watching
from digest.delivery import run as loop
from digest.models import Delivery, Edition
from tests.cast import a_reader
from tests.journeys import axe
from tests.journeys.browsing import Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
READERS = 60


@pytest.fixture
def edition(house: House, settings: Settings) -> Edition:
    """Today's edition, frozen again and not approved; 60 readers whose hour has come, and one later."""
    settings.EDITION_REQUIRES_APPROVAL = True
    settings.IN_FLIGHT, settings.SENDERS = 3, 1
    Delivery.objects.all().delete()
    for _ in range(READERS):
        a_reader(send_minute=(house.now - timedelta(hours=1)).hour * 60)
    a_reader(send_minute=23 * 60)
    edition = Edition.objects.order_by("-day")[0]
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.FROZEN, approved_at=None)
    edition.refresh_from_db()
    return edition


Opened = Callable[..., Tab]


def way(edition: Edition) -> str:
    return f"/admin/digest/edition/{edition.pk}/sending/"


def done_on(page: Page) -> int:
    """Return the share that the page says is done."""
    heading = page.locator("#snd-progress").inner_text()
    return int(float(heading.split()[0].strip("<>")))


class Slowly:
    """A worker in a thread of its own that waits between groups until it is told to go on."""

    def __init__(self) -> None:
        self.go, self.faults = threading.Semaphore(0), list[BaseException]()
        self.thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        worker = loop.Worker(timezone.now, on_settled=lambda _many: self.go.acquire(timeout=20))
        try:
            loop.run(worker)
        except BaseException as fault:  # noqa: BLE001 - told by the test
            self.faults.append(fault)
        finally:
            worker.close()
            connection.close()

    def groups(self, many: int) -> None:
        """Let so many groups leave."""
        self.go.release(many)

    def end(self) -> None:
        self.go.release(10_000)
        self.thread.join(30)
        assert not self.thread.is_alive()
        assert self.faults == []


def reach(tab: Tab, wanted: Locator) -> None:
    """Go on by Tab from the edition's header, past the menu that is not ours."""
    tab.page.locator(".pb-state").click()
    tab.tab_to(wanted)


def looked_at(house: House) -> None:
    """Let the clock look, as it does every few seconds."""
    house.later(seconds=6)
    watching.watch(at=house.now)


def let_go(house: House, tab: Tab, edition: Edition) -> None:
    """Approve by keyboard, after thinking again."""
    page, dialog = tab.page, tab.page.get_by_role("dialog")
    tab.open(way(edition))
    expect(page.get_by_role("heading", name="Ready to go?")).to_be_visible()
    reach(tab, page.get_by_role("link", name="Approve…"))
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("61 readers")
    expect(dialog).to_contain_text("The first")
    assert axe.violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert Edition.objects.get(pk=edition.pk).state == Edition.State.FROZEN
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("link", name="Not yet")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Approved. Each reader’s digest leaves")).to_be_visible()
    expect(page.get_by_text("maria approved the edition")).to_be_visible()
    advancing.advance(at=house.now)
    looked_at(house)
    expect(page.get_by_role("heading", name="On its way")).to_be_visible()  # by itself
    expect(page.locator("#snd-progress")).to_have_text("0 % done")


def watched(house: House, page: Page, worker: Slowly) -> None:
    """See the figures move while the worker sends, without touching anything."""
    shares = [0]
    for gone in (9, 18):
        worker.groups(4)
        _until(lambda gone=gone: len(house.sink.received) >= gone)  # type: ignore[misc]
        looked_at(house)
        moved = f"parseFloat(document.getElementById('snd-progress').innerText) > {shares[-1]}"
        page.wait_for_function(moved)
        shares.append(done_on(page))
    expect(page.get_by_text("adds up")).to_be_visible()


def stopped(house: House, tab: Tab, worker: Slowly) -> None:
    """Pause with a reason: at most what is on the wire leaves."""
    page = tab.page
    reach(tab, page.get_by_label("Reason, for the others at the desk"))
    page.keyboard.type("A typo in the note")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Paused", exact=True)).to_be_visible()
    gone = len(house.sink.received)
    worker.end()
    assert len(house.sink.received) - gone <= 3
    expect(page.get_by_text("A typo in the note").first).to_be_visible()
    looked_at(house)
    expect(page.get_by_text("readers are due now and wait.")).to_be_visible()


def test_an_edition_is_let_go_watched_stopped_let_go_on_and_called_off(
    house: House, desk: Opened, edition: Edition
) -> None:
    tab, worker = desk(), Slowly()
    page, dialog = tab.page, tab.page.get_by_role("dialog")
    let_go(house, tab, edition)
    worker.thread.start()
    watched(house, page, worker)
    stopped(house, tab, worker)

    reach(tab, page.get_by_role("button", name="Resume"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("It goes on.")).to_be_visible()
    house.work()
    looked_at(house)
    assert len(house.sink.received) == READERS
    expect(page.locator("#snd-progress")).to_have_text("98.4 % done")
    expect(page.get_by_text("readers’ local hours decide, not the rate")).to_be_visible()

    reach(tab, page.get_by_role("link", name="Cancel for good…"))
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("This cannot be undone")
    expect(dialog.get_by_role("link", name="Keep it")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Cancelled. What had left has left")).to_be_visible()
    looked_at(house)
    expect(page.locator("#snd-progress")).to_have_text("100 % done")
    expect(page.locator("#snd-figures[hx-get]")).to_have_count(0)
    assert len(house.sink.received) == READERS


def _until(seen: Callable[[], bool]) -> None:
    """Wait for what another thread brings about."""
    for _ in range(400):
        if seen():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not come about")


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_readable_in_light_and_dark_and_on_a_phone(
    house: House, desk: Opened, edition: Edition, width: int, scheme: str
) -> None:
    tab = desk(width=width, color_scheme=scheme)
    for state in ("frozen", "sending", "paused", "sent"):
        if state == "sending":
            Edition.objects.filter(pk=edition.pk).update(
                state=Edition.State.APPROVED, approved_at=house.now, pause_reason=""
            )
            advancing.advance(at=house.now)
            reader = Delivery.objects.filter(edition=edition)[0]
            Delivery.objects.filter(pk=reader.pk).update(state="rejected", detail="550 no such user")
        Edition.objects.filter(pk=edition.pk).update(state=state, closed_at=house.now)
        house.later(seconds=6)
        watching.watch(at=house.now)
        tab.open(way(edition))
        assert axe.violations(tab.page) == [], state
        assert tab.overflow() <= 0, state


def test_where_no_dialog_opens_the_question_is_a_page_of_its_own(
    house: House, desk: Opened, edition: Edition
) -> None:
    tab = desk(width=400)
    tab.open(f"{way(edition)}cancel/")
    expect(tab.page.get_by_role("heading", name="Cancel this edition for good?")).to_be_visible()
    assert axe.violations(tab.page) == []
    tab.page.get_by_role("link", name="Keep it").click()
    assert Edition.objects.get(pk=edition.pk).state == Edition.State.FROZEN
    tab.open(f"{way(edition)}approve/")
    assert axe.violations(tab.page) == []
    assert tab.overflow() <= 0
    tab.page.get_by_role("button", name="Send it to 61 readers").click()
    expect(tab.page.get_by_text("Approved. Each reader’s digest leaves")).to_be_visible()
    assert Edition.objects.get(pk=edition.pk).approved_at is not None
    assert house.sink.received == []
