"""Every public page in every state that a reader can meet, and the way there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Page, Route

from subscribers import address_changes, lifecycle, links
from tests.cast import NOON, a_reader
from tests.journeys.browsing import Tab
from tests.subscribers.door.visits import TRACE, choosing, confirming, path, pending, unsubscribing

_FEED = "a feed for programs"
_DEVELOPMENT = "exists in development only"
#: What is in the urlconf and no page of a reader's, each with its reason.
NO_PAGES = {
    "thumbnail": "a picture",
    "api_subscribe": "JSON for programs",
    "account_data": "JSON to take along",
    "click": "leads on to a paper elsewhere",
    "webhook": "for the provider, by POST",
    **dict.fromkeys(("feed_rss", "feed_atom", "feed_json"), _FEED),
    **dict.fromkeys(("topic_feed_rss", "topic_feed_atom", "topic_feed_json"), _FEED),
    **dict.fromkeys(("mailbox", "mailbox_message", "mailbox_html", "mailbox_source"), _DEVELOPMENT),
}


@dataclass(frozen=True)
class Place:
    """One page in one state."""

    title: str
    #: Its name in the urlconf, or "" for a page that answers where nothing is.
    name: str
    way: Callable[[], str]
    status: int = 200
    #: What the reader does there to come to the state.
    steps: Callable[[Page], object] = lambda _page: None

    def visit(self, tab: Tab) -> None:
        """Bring `tab` there."""
        response = tab.open(self.way())
        assert response.status == self.status, f"{self.title}: {response.status} at {self.way()}"
        self.steps(tab.page)
        tab.page.wait_for_load_state()
        if tab.page.locator("#preview[hx-trigger*=load]").count():
            tab.page.locator("#preview li").first.wait_for()


def named_patterns() -> Iterator[str]:
    """Yield the name of each address in the urlconf, the admin's and the last one (404) left out."""
    waiting: list[URLPattern | URLResolver] = list(get_resolver().url_patterns)
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, URLResolver):
            if one.app_name != "admin":
                waiting.extend(one.url_patterns)
        elif str(one.pattern):
            yield one.name or str(one.pattern)
        elif one.name:
            yield one.name


def press(name: str) -> Callable[[Page], object]:
    """Return the step of pressing the button `name`."""
    return lambda page: page.get_by_role("button", name=name, exact=True).first.click()


def fill(label: str, text: str) -> Callable[[Page], object]:
    """Return the step of writing `text` into the field `label`."""
    return lambda page: page.get_by_label(label, exact=True).first.fill(text)


def all_of(*steps: Callable[[Page], object]) -> Callable[[Page], object]:
    """Return one step made of several."""
    return lambda page: [step(page) for step in steps]


def _edition(place: str) -> str:
    day = {"today": NOON, "yesterday": NOON - timedelta(days=1)}[place].date()
    return reverse("edition", args=[day.isoformat()])


def _expired_link() -> str:
    return path(links.preferences_url(a_reader().public_id, NOON - timedelta(days=31)))


def _account() -> str:
    return path(links.account_url(a_reader().public_id, NOON))


def _asked_to_move() -> str:
    reader = a_reader()
    address_changes.ask(reader.public_id, f"new-{reader.address}", at=NOON, trace=TRACE)
    binding = links.address_binding(reader.address_change.address_hash)
    return path(links.new_address_url(reader.public_id, binding=binding, at=NOON))


def _left() -> str:
    reader = a_reader()
    lifecycle.unsubscribe(reader.public_id, at=NOON, trace=TRACE)
    return path(links.undo_url(reader.public_id, NOON))


def _left_long_ago() -> str:
    reader = a_reader()
    lifecycle.unsubscribe(reader.public_id, at=NOON, trace=TRACE)
    return unsubscribing(reader)


def _template(name: str) -> Callable[[Page], object]:
    """Return the step of looking at an error page that no address leads to, with the house's own style."""

    def show(page: Page) -> None:
        made = render_to_string(name, request=RequestFactory().get("/nowhere/"))

        def answer(route: Route) -> None:
            route.fulfill(body=made, content_type="text/html; charset=utf-8")

        page.route("**/nowhere/", answer, times=1)
        page.reload()

    return show


SAVE = press("Save my choices")
FRONT = [
    Place("front page", "front", lambda: "/"),
    Place("front page, the second", "front", lambda: "/?page=2"),
    Place("past editions", "editions", lambda: reverse("editions")),
    Place("an edition", "edition", lambda: _edition("today")),
    Place("no edition of that day", "edition", lambda: reverse("edition", args=["2020-01-01"]), 404),
    Place("topics", "topics", lambda: reverse("topics")),
    Place("a topic", "topic", lambda: reverse("topic", args=["computer-vision"])),
    Place("a topic by votes", "topic", lambda: reverse("topic", args=["computer-vision"]) + "?by=votes"),
    Place("no such topic", "topic", lambda: reverse("topic", args=["astrology"]), 404),
    Place("a paper", "paper", lambda: reverse("paper", args=["sample:12"])),
    Place("no such paper", "paper", lambda: reverse("paper", args=["1234.56789"]), 404),
    Place("privacy", "privacy", lambda: reverse("privacy")),
]
DOOR = [
    Place("subscribe", "signup", lambda: reverse("signup")),
    Place("subscribe, filled", "signup", lambda: reverse("signup") + "?topic=video&q=proof+assistants"),
    Place(
        "subscribe, refused",
        "signup",
        lambda: reverse("signup"),
        steps=all_of(fill("Email address", "ada@localhost"), press("Subscribe")),
    ),
    Place(
        "preview",
        "preview",
        lambda: reverse("signup"),
        steps=all_of(fill("Email address", "ada@localhost"), press("Show me what I would get")),
    ),
    Place("subscribe, sent", "signup_sent", lambda: reverse("signup_sent")),
    Place("confirm", "confirm", lambda: confirming(pending())),
    Place(
        "confirmed",
        "confirm",
        lambda: confirming(pending("bob@example.org")),
        steps=press("Confirm my subscription"),
    ),
    Place("frame", "embed", lambda: reverse("embed") + "?topic=video&q=proof+assistants"),
    Place(
        "frame, refused",
        "embed",
        lambda: reverse("embed"),
        steps=all_of(fill("Email address", "ada@localhost"), press("Subscribe")),
    ),
    Place("frame, sent", "embed_sent", lambda: reverse("embed_sent")),
    Place("code of the frame", "embed_code", lambda: reverse("embed_code") + "?topic=video&q=proofs"),
]
CHOICES = [
    Place("preferences", "preferences", lambda: choosing(a_reader())),
    Place(
        "preferences, refused",
        "preferences",
        lambda: choosing(a_reader()),
        steps=all_of(fill("Papers in a digest (5 to 25)", "99"), SAVE),
    ),
    Place("preferences, saved", "preferences", lambda: choosing(a_reader()), steps=SAVE),
    Place("preferences, paused", "preferences", lambda: choosing(a_reader()), steps=press("A month")),
    Place("account", "account", _account, steps=lambda page: page.locator("summary").first.click()),
    Place(
        "account, refused",
        "account",
        _account,
        steps=all_of(fill("New email address", "ada@localhost"), press("Ask the new address")),
    ),
    Place(
        "account, asked",
        "account",
        _account,
        steps=all_of(fill("New email address", "moved@example.org"), press("Ask the new address")),
    ),
    Place("new address", "new_address", _asked_to_move),
    Place("address changed", "new_address", _asked_to_move, steps=press("Yes, send it here")),
    Place(
        "erased",
        "account",
        _account,
        steps=all_of(lambda page: page.locator("summary").first.click(), press("Erase everything about me")),
    ),
]
LEAVING = [
    Place("unsubscribe", "unsubscribe", lambda: unsubscribing(a_reader())),
    Place(
        "once a week", "unsubscribe", lambda: unsubscribing(a_reader()), steps=press("Once a week instead")
    ),
    Place(
        "pause instead", "unsubscribe", lambda: unsubscribing(a_reader()), steps=press("Pause for a month")
    ),
    Place("goodbye", "unsubscribe", lambda: unsubscribing(a_reader()), steps=press("Unsubscribe")),
    Place("reason, refused", "undo", _left, steps=press("Send")),
    Place(
        "reason, told",
        "undo",
        _left,
        steps=all_of(lambda page: page.get_by_label("Too many mails").check(), press("Send")),
    ),
    Place("undone", "undo", _left, steps=press("Keep sending it to me")),
    Place("left already", "unsubscribe", _left_long_ago),
    Place("link mailed", "unsubscribe", _left_long_ago, steps=press("Mail me a link")),
]
CLOSED = [
    Place("link too old", "preferences", _expired_link, 410),
    *(
        Place(f"forged {name}", name, lambda name=name: reverse(name, args=["forged"]), 400)  # type: ignore[misc]
        for name in ("confirm", "preferences", "account", "new_address", "unsubscribe", "undo")
    ),
    Place("no such page", "", lambda: "/nowhere/", 404),
    *(
        Place(f"error {name}", "", lambda: "/nowhere/", 404, _template(f"{name}.html"))
        for name in ("400", "403", "403_csrf", "500")
    ),
]
PLACES = {"front": FRONT, "door": DOOR, "choices": CHOICES, "leaving": LEAVING, "closed": CLOSED}
