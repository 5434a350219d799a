"""The sign-up form on somebody else's site: framed, copied and asked by a script, in a browser."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from pytest_django import Settings

from subscribers.models import Subscriber
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "ada@example.org"
#: What the tests' settings say; mails refuse to leave with the live server's http address.
SITE = "https://papers.example.org"
#: Asks as docs/embedding.md shows it; gives the error's name where the browser refuses.
SEND = """async ([door, fields]) => {
  try {
    const answer = await fetch(door, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });
    return [answer.status, await answer.json()];
  } catch (error) { return error.name; }
}"""


class Site:
    """Somebody's web server on loopback with one page; its port makes it another origin."""

    def __init__(self) -> None:
        site = self
        self.page = ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"<!doctype html><html lang=en><title>A lab</title>{site.page}</html>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def open_site() -> Iterator[Callable[[], Site]]:
    """Give a maker of web sites that are not ours."""
    sites: list[Site] = []

    def opened() -> Site:
        sites.append(Site())
        threading.Thread(target=sites[-1].server.serve_forever, daemon=True).start()
        return sites[-1]

    yield opened
    for site in sites:
        site.server.shutdown()
        site.server.server_close()


@pytest.fixture
def lab(open_site: Callable[[], Site], settings: Settings) -> Site:
    """A site that may embed."""
    site = open_site()
    settings.EMBED_ORIGINS = [site.origin]
    return site


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A phone's browser."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    context.set_default_timeout(10_000)
    yield context.new_page()
    assert context.cookies() == []
    context.close()


def copied(page: Page, house: House, name: str) -> str:
    """Return the code that the page for it gives in the field with this label."""
    page.goto(f"{house.home}/embed/code/")
    page.get_by_label("Computer vision").check(force=True)
    page.get_by_label("Papers about").fill("gaussian splatting")
    page.get_by_role("button", name="Make the code").click()
    page.wait_for_url("**/embed/code/?*")
    code = page.get_by_label(name, exact=True).input_value()
    assert SITE in code
    return code.replace(SITE, house.home)


def framed(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def test_a_reader_signs_up_inside_the_frame_of_a_site_that_may_show_it(
    house: House, lab: Site, page: Page
) -> None:
    lab.page = copied(page, house, "Code of the frame")
    page.goto(lab.origin)
    form = framed(page)
    form.get_by_label("Email address").fill(ADDRESS)
    form.get_by_role("button", name="Subscribe").click()
    expect(form.get_by_role("alert")).to_contain_text("once more")
    house.later(seconds=20)
    expect(form.get_by_label("Email address")).to_have_value(ADDRESS)
    form.get_by_role("button", name="Subscribe").click()
    expect(form.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert page.url == f"{lab.origin}/"
    assert "/confirm/" in house.newest(ADDRESS).text
    reader = Subscriber.objects.get()
    assert [preference.topic.slug for preference in reader.preferences.all()] == ["computer-vision"]
    assert [interest.text for interest in reader.interests.all()] == ["gaussian splatting"]


@pytest.mark.usefixtures("lab")
def test_another_site_sees_a_refused_frame(house: House, page: Page, open_site: Callable[[], Site]) -> None:
    stranger = open_site()
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    stranger.page = copied(page, house, "Code of the frame")
    page.goto(stranger.origin)
    page.wait_for_load_state("networkidle")
    assert page.frames[1].url.startswith("chrome-error:")
    assert framed(page).get_by_label("Email address").count() == 0
    assert any("frame-ancestors" in line for line in said)


def test_no_site_can_frame_the_front_door_itself(house: House, lab: Site, page: Page) -> None:
    lab.page = f'<iframe src="{house.home}/subscribe/" title="Door"></iframe>'
    page.goto(lab.origin)
    page.wait_for_load_state("networkidle")
    assert page.frames[1].url.startswith("chrome-error:")


def test_the_copied_plain_form_leads_to_our_page_and_one_more_press(
    house: House, lab: Site, page: Page
) -> None:
    lab.page = copied(page, house, "Code of the plain form")
    page.goto(lab.origin)
    expect(page.get_by_label("Leave this empty")).to_be_hidden()
    expect(page.get_by_label("Computer vision")).to_be_checked()
    page.get_by_label("Email address").fill(ADDRESS)
    page.get_by_role("button", name="Subscribe").click()
    assert page.url == f"{house.home}/subscribe/"
    expect(page.get_by_role("alert")).to_contain_text("once more")
    expect(page.get_by_label("Email address")).to_have_value(ADDRESS)
    house.later(seconds=20)
    page.get_by_role("button", name="Subscribe", exact=True).click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert house.newest(ADDRESS).subject.startswith("Confirm")


def test_a_script_may_ask_from_the_site_named_and_from_no_other(
    house: House, lab: Site, page: Page, open_site: Callable[[], Site]
) -> None:
    stranger = open_site()
    door = f"{house.home}/api/subscribe"
    page.goto(lab.origin)
    stamp = page.evaluate("async door => (await (await fetch(door)).json()).stamp", door)
    house.later(seconds=20)
    fields = {"address": ADDRESS, "topics": ["computer-vision"], "stamp": stamp}
    status, answer = page.evaluate(SEND, [door, fields])
    assert (status, answer["status"]) == (202, "sent")
    status, answer = page.evaluate(SEND, [door, {**fields, "address": "ada@localhost"}])
    assert (status, list(answer["errors"])) == (422, ["address"])

    page.goto(stranger.origin)
    assert page.evaluate(SEND, [door, {**fields, "address": "eve@example.org"}]) == "TypeError"
    house.work()
    assert [reader.address for reader in Subscriber.objects.all()] == [ADDRESS]


def test_the_code_is_copied_by_a_button(house: House, lab: Site, page: Page) -> None:
    wanted = copied(page, house, "Code of the frame")
    expect(page.get_by_text(lab.origin)).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=house.home)
    page.get_by_role("button", name="Copy: Code of the frame").click()
    expect(page.get_by_role("status").first).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").replace(SITE, house.home) == wanted
