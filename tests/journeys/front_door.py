"""What readers do at the sign-up form, by the words they see."""

from collections.abc import Callable
from urllib.parse import unquote_plus

from playwright.sync_api import Locator, Page, Response, expect

from tests.journeys.house import House

ADDRESS_FIELD = "Email address"
WORDS_FIELD = "One subject on each line"
SUBSCRIBE = "Subscribe"


def box(page: Page, label: str) -> Locator:
    """Return the chip's box or radio button called `label`."""
    return page.get_by_label(label, exact=True)


def choose(page: Page, label: str) -> None:
    """Press the chip `label`, with a finger where there are fingers."""
    chip = box(page, label)
    if page.evaluate("navigator.maxTouchPoints"):
        chip.tap()
    else:
        chip.click()
    expect(chip).to_be_checked()


def open_words(page: Page) -> None:
    """Open the field for own words, where it is folded."""
    if not page.get_by_label(WORDS_FIELD).is_visible():
        page.get_by_text("Add your own words").click()


def previewed(page: Page, *, at_first: bool = False) -> list[str]:
    """Return the titles that the preview shows, also those that a phone hides `at_first`."""
    titles = page.locator("#preview li .title")
    if at_first:
        expect(titles.first).to_be_attached()
    else:
        expect(titles.first).to_be_visible()
    return [" ".join(title.split()) for title in titles.all_text_contents()]


def preview_after(page: Page, deed: Callable[[], object], told: str = "") -> list[str]:
    """Do `deed`, wait for the preview that answers it (its question containing `told`), return its titles."""
    before = page.locator("#preview").inner_html()

    def answers(response: Response) -> bool:
        asked = unquote_plus(response.request.post_data or "")
        return response.url.endswith("/preview/") and told in asked

    with page.expect_response(answers):
        deed()
    page.wait_for_function("before => document.querySelector('#preview').innerHTML !== before", arg=before)
    return previewed(page)


def sign_up_with(house: House, page: Page, address: str) -> None:
    """Write `address` and press the button, as slowly as people do."""
    page.get_by_label(ADDRESS_FIELD).fill(address)
    house.later(seconds=20)
    page.get_by_role("button", name=SUBSCRIBE, exact=True).click()
