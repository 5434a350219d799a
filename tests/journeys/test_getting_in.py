"""Getting in at the desk: second factor, wrong codes, codes on paper, a lock, and a password alone."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from digest.access import second_factor
from digest.access.guards import FAILURES
from digest.models import Edition
from tests.digest.access.people import PASSWORD, code_of, somebody, with_an_app, wrong_code_of
from tests.journeys.axe import violations
from tests.journeys.browsing import Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
INDEX = re.compile("/admin/$")
SET_UP, CODE = re.compile("/two-factor/set-up/"), re.compile("/two-factor/code/")


@pytest.fixture
def door(house: House, chromium: Browser, settings: Settings) -> Iterator[Tab]:
    """A browser before the desk's login, as in production; what it complains of fails the test at its end."""
    settings.ADMIN_TWO_FACTOR = True
    tab = Tab.of(chromium, house.home)
    tab.open("/admin/")
    yield tab
    complaints = tab.complaints
    tab.page.context.close()
    assert complaints == []


def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def give(page: Page, code: str) -> None:
    """Type a code and send it, as a keyboard does: the field has the focus already."""
    expect(page.get_by_label("Code")).to_be_focused()
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def seen_by_all(tab: Tab) -> None:
    """Let axe look at the page in both schemes, and at its width on a phone of 400 pixels."""
    found = {}
    for scheme in ("light", "dark"):
        tab.page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
        tab.page.wait_for_timeout(300)  # colours on their way from one to another are not judged
        found[scheme] = violations(tab.page)
    size = tab.page.viewport_size
    tab.page.set_viewport_size({"width": 400, "height": 800})
    assert tab.overflow() <= 0
    assert size is not None
    tab.page.set_viewport_size(size)
    assert found == {"light": [], "dark": []}


def test_an_owner_sets_up_a_second_factor_and_logs_in_with_it(door: Tab, house: House) -> None:
    owner, page = somebody("owner"), door.page
    seen_by_all(door)
    log_in(page, "owner-1", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("enter the correct username and password")
    seen_by_all(door)
    log_in(page, "owner-1")
    expect(page).to_have_url(SET_UP)
    page.goto(f"{house.home}/admin/subscribers/subscriber/")
    expect(page).to_have_url(SET_UP)
    seen_by_all(door)

    page.get_by_text("It cannot scan").click()
    page.locator(".pb-secret").wait_for()
    phone = second_factor.opened(page.locator("input[name=offered]").input_value(), owner)
    assert phone is not None
    page.get_by_label("Code").focus()
    give(page, wrong_code_of(phone))
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong")
    give(page, code_of(phone))
    expect(page.get_by_role("heading", name="Your backup codes")).to_be_visible()
    codes = page.locator(".pb-codes li").all_inner_texts()
    assert len(codes) == second_factor.BACKUP_CODES
    seen_by_all(door)
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/subscribers/subscriber/$"))  # where the owner was going

    page.context.clear_cookies()
    house.later(seconds=31)  # a code opens once
    page.goto(f"{house.home}/admin/")
    log_in(page, "owner-1")
    expect(page).to_have_url(CODE)
    seen_by_all(door)
    give(page, code_of(phone))
    expect(page).to_have_url(INDEX)

    page.context.clear_cookies()
    page.goto(f"{house.home}/admin/")
    log_in(page, "owner-1")
    give(page, codes[0])
    expect(page).to_have_url(INDEX)
    page.goto(f"{house.home}{reverse('admin:two_factor')}")
    expect(page.get_by_text("9 of ten left")).to_be_visible()


def test_wrong_codes_open_nothing_and_are_told_how_long_to_wait(door: Tab) -> None:
    phone, page = with_an_app(somebody("operator")), door.page
    log_in(page, "operator-1")
    give(page, wrong_code_of(phone))
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong")
    TOTPDevice.objects.update(throttling_failure_count=7)  # as after seven: the wait is a minute
    give(page, code_of(phone))
    expect(page.get_by_role("alert")).to_contain_text("Too many wrong codes. Please wait")
    expect(page).to_have_url(CODE)


def test_a_curator_logs_in_with_the_password_alone_and_out_again(door: Tab) -> None:
    somebody("curator")
    page = door.page
    log_in(page, "curator-1")
    expect(page).to_have_url(INDEX)
    page.locator("#logout-form button").wait_for(state="attached")
    page.wait_for_load_state()
    page.evaluate("document.querySelector('#logout-form button').click()")
    expect(page.get_by_role("heading", name="You are logged out")).to_be_visible()
    seen_by_all(door)


def test_after_five_wrong_passwords_a_page_says_until_when(door: Tab, house: House) -> None:
    somebody("curator")
    page = door.page
    for _ in range(FAILURES):
        log_in(page, "curator-1", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("12:15 UTC, in 15 minutes")
    seen_by_all(door)
    house.later(minutes=15)
    page.get_by_role("link", name="Back to the login").click()
    log_in(page, "curator-1")
    expect(page).to_have_url(INDEX)


def test_the_login_works_by_keyboard_alone(door: Tab) -> None:
    somebody("curator")
    page = door.page
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("curator-1")
    door.tab_to(page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    door.tab_to(page.get_by_role("button", name="Log in"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(INDEX)


#: One page of each kind: lists, forms, an edition's own, and those of this folder.
PAGES = [
    "index", "digest_edition_changelist", "subscribers_topic_add", "subscribers_topic_changelist",
    "subscribers_subscriber_changelist", "subscribers_auditevent_changelist", "auth_user_changelist",
    "auth_user_add", "axes_accessattempt_changelist", "two_factor", "two_factor_set_up", "password_change",
    "subscribers_importjob_add", "subscribers_export", "subscribers_spike",
]  # fmt: skip
OF_AN_EDITION = ["digest_edition_change", "edition_preview", "edition_sending", "edition_report"]


def test_no_page_of_the_desk_breaks_its_policy(door: Tab, house: House, settings: Settings) -> None:
    settings.ADMIN_TWO_FACTOR = False
    User.objects.create_superuser("boss", password=PASSWORD)
    page = door.page
    log_in(page, "boss")
    edition = Edition.objects.latest("pk").pk
    for name in PAGES:
        page.goto(house.home + reverse(f"admin:{name}"))
        page.wait_for_load_state("networkidle")
    for name in OF_AN_EDITION:
        page.goto(house.home + reverse(f"admin:{name}", args=[edition]))
        page.wait_for_load_state("networkidle")
    broken = [said for said in door.complaints if "CSP" in said or "Content Security" in said]
    door.complaints.clear()  # of what else a page complains, its own tests say
    assert broken == []
