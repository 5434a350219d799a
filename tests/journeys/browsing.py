"""One reader's browser: what they do in it, and what it must never do behind their back."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, Request, Response

PHONE = 390
DESKTOP = 1280
#: Chromium says so on the console when a page answers with an error, as a refused form rightly does.
_ANSWERED_WITH_AN_ERROR = "Failed to load resource"
_REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation",
    event => console.error(`CSP ${event.violatedDirective}: ${event.blockedURI}`))"""
#: What shows that an element has the focus: an outline or a shadow that is drawn, its own or its label's.
_FOCUS_IS_SEEN = """element => {
  const drawn = one => {
    const style = getComputedStyle(one);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return outlined || style.boxShadow !== "none";
  };
  if (!element.matches(":focus")) return true;  // a part of a field for a time: it draws its own
  return [element, element.nextElementSibling].some(one => one && drawn(one));
}"""


@dataclass
class Tab:
    """A page in a browser context of its own, and all that it loaded and complained of."""

    page: Page
    home: str
    #: Typed by the reader, and never to be seen in an address that is asked for.
    secrets: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    #: What the page in view was made from.
    parts: list[Request] = field(default_factory=list)
    visited: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        browser: Browser,
        home: str,
        *,
        width: int = DESKTOP,
        touch: bool = False,
        script: bool = True,
        **more: Any,
    ) -> Self:
        """Open a browser context `width` CSS pixels wide: with fingers, without JavaScript, as asked."""
        context = browser.new_context(
            viewport={"width": width, "height": 844 if touch else 800},
            has_touch=touch,
            is_mobile=touch,
            java_script_enabled=script,
            locale="en-GB",
            reduced_motion="reduce",  # colours on their way from one to another are not judged
            **more,
        )
        context.set_default_timeout(10_000)
        context.add_init_script(_REPORT_VIOLATIONS)
        tab = cls(context.new_page(), home)
        devtools = context.new_cdp_session(tab.page)
        devtools.send("Network.enable")
        devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})  # each page is weighed whole
        tab.page.on("request", tab._asks)
        tab.page.on("console", tab._hears)
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        return tab

    def _asks(self, request: Request) -> None:
        self.asked.append(request.url)
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.parts.clear()
            self.visited.add(request.url)
        self.parts.append(request)

    def _hears(self, said: ConsoleMessage) -> None:
        refused = said.text.startswith(_ANSWERED_WITH_AN_ERROR)
        if not (refused and said.location["url"] in self.visited):
            self.complaints.append(f"{said.text} {said.location['url']}")

    def open(self, path: str) -> Response:
        """Go to `path` and return the answer."""
        response = self.page.goto(self.home + path)
        assert response is not None
        return response

    def faults(self) -> list[str]:
        """Return complaints of the page, requests to anybody else, cookies, and addresses in URLs."""
        house = urlsplit(self.home).netloc
        strangers = [url for url in self.asked if urlsplit(url).netloc != house and url[:5] != "data:"]
        told = [url for url in self.asked for secret in ["@", "%40", *self.secrets] if secret in url]
        cookies = [f"cookie {cookie['name']}" for cookie in self.page.context.cookies()]
        return [*self.complaints, *strangers, *told, *cookies]

    def weight(self) -> dict[str, int]:
        """Return the bytes of each part of the page in view but pictures, compressed as a server would."""
        weights = {}
        for part in self.parts:
            answer = part.response()
            if answer is not None and (answer.ok or answer.status >= 400) and part.resource_type != "image":
                weights[urlsplit(part.url).path] = _compressed(answer)
        return weights

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the screen."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth")
        size = self.page.viewport_size
        assert size is not None
        return wide - size["width"]

    def tab_to(self, wanted: Locator, key: str = "Tab", most: int = 120) -> None:
        """Press Tab until `wanted` has the focus, as a reader without a mouse; each stop must show itself."""
        self.page.wait_for_load_state()  # the style sheets draw the focus
        for _ in range(most):
            self.page.keyboard.press(key)
            at = self.page.evaluate_handle("document.activeElement").as_element()
            assert at is not None
            unseen = at.evaluate("one => one === document.body") or not at.evaluate(_FOCUS_IS_SEEN)
            assert not unseen, f"nobody sees the focus at {at.evaluate('one => one.outerHTML')[:150]}"
            if wanted.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{wanted} cannot be reached with {key} on {self.page.url}")


#: What the fixture `open_tab` gives: takes the wishes of `Tab.of`.
Opened = Callable[..., Tab]


def _compressed(answer: Response) -> int:
    """Return the bytes of an answer as a server would send it; of one the browser dropped, as it came."""
    try:
        return len(gzip.compress(answer.body(), 6))
    except Error:
        return int(answer.request.sizes()["responseBodySize"])
