"""From the login to a sent edition: shaped by keyboard, looked at in the dark, tested, approved, held."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from digest import editions, watching
from digest.delivery.balance import balance
from digest.delivery.run import Worker, run
from digest.models import Decision, Edition
from digest.rights import write_groups
from subscribers.models import AuditEvent, Subscriber
from tests.cast import a_paper, a_reader, appeared
from tests.journeys.axe import violations
from tests.journeys.browsing import Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a-long-enough-word"
ME = "curator@lab.example.org"
READERS = 40
AT_FIRST = 15
#: The colour behind the first paper's title, as [red, green, blue].
_GROUND = """() => {
  let at = [...document.querySelectorAll("a")].find(one => one.textContent.includes("Question"));
  while (at && /, 0\\)|transparent/.test(getComputedStyle(at).backgroundColor)) at = at.parentElement;
  const colour = getComputedStyle(at || document.body).backgroundColor;
  return colour.match(/[0-9]+/g).slice(0, 3).map(Number);
}"""


@pytest.fixture
def tomorrow(house: House, settings: Settings) -> Edition:
    """Give the next day's edition, frozen some minutes ago, with eight papers and forty readers."""
    settings.SOURCES = []
    settings.EDITION_REQUIRES_APPROVAL = True
    house.work()  # the day before goes to nobody
    for _ in range(READERS):
        a_reader(send_minute=7 * 60)
    day = editions.edition_day(house.now) + timedelta(days=1)
    for number in range(8):
        appeared(a_paper(f"Question {number} of eight", upvotes=80 - 10 * number), day)
    house.later(hours=18, minutes=10)
    house.work()
    edition = Edition.objects.get(day=day)
    assert edition.state == Edition.State.FROZEN
    return edition


@pytest.fixture
def curator() -> User:
    write_groups()
    user = User.objects.create_user("mira", email=ME, password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="curator"))
    return user


def test_from_login_to_a_sent_edition(
    house: House, tomorrow: Edition, curator: User, chromium: Browser, settings: Settings
) -> None:
    tab = Tab.of(chromium, house.home)
    log_in(tab)
    desk = shaped_by_keyboard(tab.page, tomorrow)
    looked_at_in_the_dark(desk)
    tried_on_oneself(desk, house)
    approved(desk)
    watched_held_and_let_go(desk, house, tomorrow)
    assert {decision.by_name for decision in Decision.objects.filter(edition=tomorrow)} == {curator.username}
    assert AuditEvent.objects.filter(by=curator, kind=AuditEvent.Kind.LOGIN).count() == 1
    # Mails name the installation's own address for pictures; here nobody answers there.
    ours = (house.home, settings.SITE_URL, "data:")
    assert [url for url in tab.asked if not url.startswith(ours)] == []
    assert [said for said in tab.complaints if settings.SITE_URL not in said] == []
    tab.page.context.close()


def log_in(tab: Tab) -> None:
    tab.open("/admin/")
    tab.page.get_by_label("Username").fill("mira")
    tab.page.get_by_label("Password").fill(PASSWORD)
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("link", name="Shape it").first).to_be_visible()


def shaped_by_keyboard(page: Page, edition: Edition) -> Page:
    """Pin, hide and note with keys alone, write the subject; return the page."""
    page.get_by_role("link", name="Shape it").first.press("Enter")
    first = page.locator(".pb-row").first
    expect(first).to_contain_text("Question 0 of eight")
    page.wait_for_load_state()
    page.keyboard.press("j")
    page.keyboard.press("j")  # Question 1
    page.keyboard.press("p")
    expect(page.locator(".pb-row", has_text="Question 1 of eight")).to_contain_text("Pin 1")
    page.keyboard.press("n")
    page.keyboard.type("The plainest answer of the week.")
    page.keyboard.press("Enter")
    expect(page.locator(".pb-noted")).to_contain_text("The plainest answer of the week.")
    page.locator(".pb-row", has_text="Question 7 of eight").focus()
    page.keyboard.press("h")
    expect(page.locator(".pb-row", has_text="Question 7 of eight")).to_contain_text("Hidden")
    page.get_by_label("Subject line").fill("One plain answer, six good questions")
    page.keyboard.press("Enter")
    expect(page.locator("#pb-words .pb-badge")).to_contain_text("subject written")
    edition.refresh_from_db()
    assert edition.subject == "One plain answer, six good questions"
    return page


def looked_at_in_the_dark(page: Page) -> None:
    page.get_by_role("link", name="Preview", exact=True).press("Enter")
    page.get_by_role("link", name="Dark", exact=True).press("Enter")
    mail = page.frame_locator(".pv-frame")
    expect(mail.get_by_text("The plainest answer of the week.")).to_be_visible()
    expect(mail.get_by_text("Question 7 of eight")).to_have_count(0)
    red, green, blue = ground_of(page)
    assert max(red, green, blue) < 80, "the mail is not shown dark"


def ground_of(page: Page) -> tuple[int, int, int]:
    """Return the colour behind the mail's papers."""
    seen = page.frames[-1].evaluate(_GROUND)
    return seen[0], seen[1], seen[2]


def tried_on_oneself(page: Page, house: House) -> None:
    page.get_by_role("button", name="Send a test to").press("Enter")
    expect(page.locator("body")).to_contain_text("the mail server took it")
    (test,) = house.letters(ME)
    assert test.subject == "[Test] One plain answer, six good questions"
    assert "The plainest answer of the week." in test.text


def approved(page: Page) -> None:
    page.get_by_role("link", name="Send", exact=True).press("Enter")
    page.get_by_role("link", name="Approve…").press("Enter")
    dialog = page.locator("#snd-dialog")
    expect(dialog).to_contain_text("40 readers")
    expect(dialog).to_contain_text("07:00")
    assert violations(page) == []
    dialog.get_by_role("button", name="Send it to").press("Enter")
    expect(page.get_by_role("heading", name="Approved")).to_be_visible()


def watched_held_and_let_go(page: Page, house: House, edition: Edition) -> None:
    before = len(house.sink.received)
    house.work()  # enrolls; nobody's hour has come
    house.later(hours=1)
    work(house, AT_FIRST)
    expect(page.locator("#snd-figures")).to_contain_text("15 of 40", timeout=15_000)
    page.reload()
    page.get_by_label("Reason, for the others at the desk").fill("A slip in the subject")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    expect(page.locator(".pb-edition")).to_contain_text("A slip in the subject")
    work(house, READERS)
    assert len(house.sink.received) == before + AT_FIRST, "a paused edition goes on"
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.get_by_role("heading", name="On its way")).to_be_visible()
    work(house, READERS)
    house.work()
    expect(page.locator("#snd-figures")).to_contain_text("100 % done", timeout=15_000)
    sent = [each.recipients[0] for each in house.sink.received[before:]]
    assert sorted(sent) == sorted(Subscriber.objects.values_list("address", flat=True))
    account = balance(edition)
    assert (account.accepted, account.exact) == (READERS, True)
    page.reload()
    expect(page.get_by_role("heading", name="Sent", exact=True)).to_be_visible()


def work(house: House, most: int) -> None:
    """Let a worker send to `most` readers, and the figures be counted."""
    worker = Worker(lambda: house.now)
    try:
        run(worker, limit=most)
    finally:
        worker.close()
    house.later(seconds=10)
    watching.watch(at=house.now)
