"""From the signup form to the last press of a button, in a browser, with mail that travels over SMTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from subscribers import outbox
from subscribers.models import Interest, Preference, Subscriber, Topic
from tests.cast import the_wording
from tests.sinks.smtp_sink import SmtpSink

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("plain_static"),
]

WIDTHS = {"desktop": 1280, "phone": 390}


@dataclass
class Visit:
    """One reader at one screen: the page, what went wrong on it, and the mails that came."""

    page: Page
    home: str
    sink: SmtpSink
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.home + path)
        self.fits()

    def fits(self) -> None:
        """The page is no wider than the screen, or a phone would scroll sideways."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), self.page.url

    def mailed_path(self, part: str) -> str:
        """Empty the outbox; return the path of the newest mail's link that contains `part`."""
        outbox.deliver_due(at=timezone.now())
        body = self.sink.messages[-1].get_body(("plain",))
        assert body is not None
        link: str = next(word for word in body.get_content().split() if part in word)
        return part + link.partition(part)[2]


@pytest.fixture(params=WIDTHS)
def visit(
    request: pytest.FixtureRequest,
    chromium: Browser,
    live_server: LiveServer,
    settings: Settings,
) -> Iterator[Visit]:
    settings.ALLOWED_HOSTS = ["localhost"]
    the_wording()
    context = chromium.new_context(viewport={"width": WIDTHS[request.param], "height": 800}, locale="en-GB")
    with SmtpSink() as sink:
        for name, value in sink.settings.items():
            setattr(settings, name, value)
        visit = Visit(context.new_page(), live_server.url, sink)
        visit.page.on("console", lambda said: visit.faults.append(said.text))
        visit.page.on("pageerror", lambda error: visit.faults.append(str(error)))
        visit.page.on(
            "request",
            lambda asked: None if asked.url.startswith(live_server.url) else visit.faults.append(asked.url),
        )
        yield visit
        assert visit.faults == []
    context.close()


def test_a_reader_signs_up_confirms_chooses_pauses_and_leaves(visit: Visit) -> None:
    page = visit.page
    Topic.objects.get_or_create(
        slug="kites", defaults={"name": "Kites", "description": "Papers about kites."}
    )
    Topic.objects.get_or_create(
        slug="bells", defaults={"name": "Bells", "description": "Papers about bells."}
    )

    visit.open("/subscribe/")
    page.get_by_label("Email address").fill("ada@bücher.example")
    page.get_by_label("Kites").check(force=True)
    page.get_by_text("Add your own words").click()
    page.get_by_label("One subject on each line").fill("proof assistants")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    visit.fits()

    visit.open(visit.mailed_path("/confirm/"))
    assert visit.sink.received[-1].recipients == ("ada@xn--bcher-kva.example",)
    page.get_by_role("button", name="Confirm my subscription").click()
    expect(page.get_by_role("heading", name="You’re in")).to_be_visible()
    reader = Subscriber.objects.get()
    assert reader.status == Subscriber.Status.ACTIVE

    page.get_by_role("link", name="Choose what you get").click()
    visit.fits()
    expect(page.get_by_label("Subjects, in your own words")).to_have_value("proof assistants")
    page.get_by_role("group", name="Bells").get_by_label("More").check(force=True)
    page.get_by_label("Never show me").fill("blockchain")
    expect(page.get_by_label("Day, if once a week")).to_be_hidden()
    page.get_by_role("radio", name="Once a week").check(force=True)
    page.get_by_label("Day, if once a week").select_option("Friday")
    page.get_by_label("Time of day").fill("06:30")
    page.get_by_label("Time zone").select_option("Europe/Paris")
    page.get_by_role("button", name="Save my choices").click()
    expect(page.get_by_text("Saved. Your next digest follows these choices.")).to_be_visible()
    reader.refresh_from_db()
    assert (reader.frequency, reader.weekday, reader.send_minute) == ("weekly", 4, 390)
    assert reader.time_zone == "Europe/Paris"
    weights = dict(Preference.objects.values_list("topic__slug", "weight"))
    assert weights == {"kites": 1, "bells": 2}
    assert reader.interests.filter(kind=Interest.Kind.EXCLUDE).get().text == "blockchain"

    page.get_by_role("button", name="Two weeks").click()
    expect(page.get_by_text("Paused. The first digest comes again on")).to_be_visible()
    page.get_by_role("button", name="Resume now").click()
    expect(page.get_by_text("Welcome back")).to_be_visible()

    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.UNSUBSCRIBED
    kinds = list(reader.consent_events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["requested", "confirmed", "changed", "changed", "changed", "withdrawn"]


def test_an_active_reader_who_signs_up_again_is_mailed_the_way_to_their_choices(visit: Visit) -> None:
    page = visit.page
    for _ in range(2):
        visit.open("/subscribe/")
        page.get_by_label("Email address").fill("ada@example.org")
        page.get_by_role("button", name="Subscribe").click()
        if not Subscriber.objects.filter(status=Subscriber.Status.ACTIVE).exists():
            visit.open(visit.mailed_path("/confirm/"))
            page.get_by_role("button", name="Confirm my subscription").click()
    visit.open(visit.mailed_path("/preferences/"))
    expect(page.get_by_role("heading", name="Your digest")).to_be_visible()
    assert [m["Subject"].partition(" ")[0] for m in visit.sink.messages] == ["Confirm", "You"]


def test_a_slip_is_explained_beside_the_field_and_mended_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    Topic.objects.get_or_create(
        slug="kites", defaults={"name": "Kites", "description": "Papers about kites."}
    )
    visit.open("/subscribe/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_label("Email address").focus()
    page.keyboard.type("ada@localhost")
    page.get_by_label("Kites").focus()
    page.keyboard.press("Space")
    page.get_by_label("Email address").press("Enter")
    address = page.get_by_label("Email address")
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(address).to_have_accessible_description("The part after the @ needs a dot, as in example.org.")
    expect(page.get_by_label("Kites")).to_be_checked()
    visit.fits()
    # The browser reports the refusal's status as a resource that failed; that is no fault of the page.
    visit.faults[:] = [fault for fault in visit.faults if "422" not in fault]
    address.fill("ada@example.org")
    address.press("Enter")
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()


def test_a_link_from_a_mail_unsubscribes_with_one_button(visit: Visit) -> None:
    page = visit.page
    visit.open("/subscribe/")
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_role("button", name="Subscribe").click()
    visit.open(visit.mailed_path("/u/"))
    assert Subscriber.objects.get().status == Subscriber.Status.PENDING
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert Subscriber.objects.get().status == Subscriber.Status.UNSUBSCRIBED
    assert {cookie.get("name") for cookie in page.context.cookies()} == {"csrftoken"}
