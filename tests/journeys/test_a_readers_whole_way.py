"""The whole way of a stranger on a phone: from a paper they like to the click with which they leave."""

import httpx
import pytest
from playwright.sync_api import expect

from digest.models import Delivery
from subscribers.models import ConsentEvent, Subscriber
from tests.journeys.browsing import PHONE, Opened, Tab
from tests.journeys.front_door import WORDS_FIELD, choose, open_words, preview_after, previewed, sign_up_with
from tests.journeys.house import House

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "ada@example.org"
TOPICS = ("Robotics and embodied AI", "Speech, audio and music")
PHRASE = "gaussian splatting"
FOUND_BY_PHRASE = "Splats That Remember"


def test_a_stranger_finds_a_paper_subscribes_reads_reads_less_and_leaves(
    house: House, open_tab: Opened
) -> None:
    tab = open_tab(width=PHONE, touch=True, timezone_id="Europe/Paris")
    page = tab.page
    tab.secrets.append("ada")

    promised = _find_and_choose(tab)
    sign_up_with(house, page, ADDRESS)
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert tab.overflow() <= 0

    # One mail, one press.
    tab.open(house.newest(ADDRESS).way("/confirm/"))
    page.get_by_role("button", name="Confirm my subscription").tap()
    expect(page.get_by_role("heading", name="You’re in")).to_be_visible()
    reader = Subscriber.objects.get()
    assert (reader.status, reader.time_zone) == (Subscriber.Status.ACTIVE, "Europe/Paris")

    # The welcome digest holds what the preview promised, each paper for a reason of theirs.
    welcome = house.newest(ADDRESS)
    for title in promised:
        assert title in " ".join(welcome.text.split())
    delivery = Delivery.objects.get(subscriber=reader)
    assert delivery.state == Delivery.State.ACCEPTED
    reasons = " ".join(str(pick) for pick in delivery.picks)
    assert all(name in reasons for name in [*TOPICS, PHRASE]), reasons

    # Once a week is enough.
    tab.open(welcome.way("/preferences/"))
    choose(page, "Once a week")
    page.get_by_label("Day, if once a week").select_option("Friday")
    page.get_by_role("button", name="Save my choices").tap()
    expect(page.get_by_text("Saved.")).to_be_visible()
    reader.refresh_from_db()
    assert (reader.frequency, reader.weekday) == ("weekly", 4)
    assert tab.overflow() <= 0

    # The mail program's own button: no cookie, no redirect, effective before the answer.
    answer = httpx.post(house.home + welcome.one_click, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.headers.get("set-cookie")) == (200, None)
    reader.refresh_from_db()
    assert reader.status == Subscriber.Status.UNSUBSCRIBED
    kinds = list(ConsentEvent.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["requested", "confirmed", "changed", "withdrawn"]
    mails = len(house.letters(ADDRESS))
    house.later(days=3)
    house.work()
    assert len(house.letters(ADDRESS)) == mails, "nothing comes any more"


def _find_and_choose(tab: Tab) -> list[str]:
    """Read a paper, go back, choose TOPICS and write PHRASE; return the titles that the preview ends with."""
    page = tab.page
    # A paper they like, and back.
    tab.open("/")
    first = page.get_by_role("article").first.get_by_role("heading").get_by_role("link")
    liked = first.inner_text()
    first.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(liked)
    assert tab.overflow() <= 0
    page.go_back()

    # The preview follows what they choose and write.
    seen = [previewed(page, at_first=True)]
    assert len(seen[0]) == 5
    seen += [preview_after(page, lambda topic=topic: choose(page, topic)) for topic in TOPICS]  # type: ignore[misc]
    open_words(page)
    words = page.get_by_label(WORDS_FIELD)
    seen.append(preview_after(page, lambda: words.press_sequentially(PHRASE, delay=10), PHRASE))
    assert len({tuple(titles) for titles in seen}) == len(seen), "each choice shows"
    assert any(title.startswith(FOUND_BY_PHRASE) for title in seen[-1])
    assert not any(title.startswith(FOUND_BY_PHRASE) for title in seen[-2])

    return seen[-1]
