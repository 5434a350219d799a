"""A curator brings readers in from elsewhere: upload, dry run, the look at it, the import and its result."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from subscribers.models import ConsentEvent, Subscriber
from subscribers.tasks import import_readers
from tests.journeys.browsing import Tab
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STATEMENT = "Signed up on the reading group's old site in 2024, confirmed by mail."
FILE = (
    "Email Address,OPTIN_TIME,LEID,Status\n"
    "ada@example.org,2024-03-01 10:00:00,1,subscribed\n"
    "ben@example.org,2024-03-01 10:00:00,2,unsubscribed\n"
    "nonsense,2024-03-01 10:00:00,3,subscribed\n"
)


@pytest.fixture
def desk(house: House, chromium: Browser, settings: Settings, tmp_path: Path) -> Iterator[Page]:
    """The admin's page after logging in. Its cookies are a curator's, so it is no reader's tab."""
    settings.DATA_DIR = tmp_path
    User.objects.create_superuser("curator", password="a-long-enough-word")
    tab = Tab.of(chromium, house.home)
    tab.open("/admin/")
    tab.page.get_by_label("Username").fill("curator")
    tab.page.get_by_label("Password").fill("a-long-enough-word")
    tab.page.get_by_role("button", name="Log in").click()
    yield tab.page
    tab.page.context.close()


def test_a_curator_sees_what_a_file_would_do_before_anybody_comes_in(house: House, desk: Page) -> None:
    before = Subscriber.objects.count()
    expect(desk).to_have_url(re.compile("/admin/$"))
    desk.goto(f"{house.home}/admin/subscribers/importjob/add/")
    upload = {"name": "readers.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    desk.locator("input[type=file]").set_input_files(upload)  # type: ignore[arg-type]
    desk.get_by_label("Where and when did these readers agree?").fill(STATEMENT)
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_role("heading", name="readers.csv: being looked through")).to_be_visible()

    import_readers()
    desk.reload()
    expect(desk.get_by_text("Nothing has changed yet. 1 new reader would come in.")).to_be_visible()
    expect(desk.get_by_text(STATEMENT)).to_be_visible()
    desk.get_by_text("Cannot be read: 1").click()
    expect(desk.get_by_role("cell", name="An email address looks like name@example.org.")).to_be_visible()
    assert Subscriber.objects.count() == before

    desk.get_by_role("button", name="Import 1 reader").click()
    expect(desk.get_by_role("heading", name="readers.csv: being imported")).to_be_visible()
    import_readers()
    desk.reload()
    expect(desk.get_by_text("1 new reader came in.")).to_be_visible()
    reader = Subscriber.objects.get(address="ada@example.org")
    assert (reader.status, Subscriber.objects.count()) == (Subscriber.Status.ACTIVE, before + 1)
    desk.goto(f"{house.home}/admin/subscribers/consentevent/{ConsentEvent.objects.latest('pk').pk}/change/")
    expect(desk.get_by_text(STATEMENT)).to_be_visible()
