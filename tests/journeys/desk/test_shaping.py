"""An edition is shaped at its desk: by keyboard alone, by hand, without JavaScript, by two at once."""

import re

import pytest
from playwright.sync_api import expect

from digest.admin.edition import rows
from digest.models import Edition
from tests.journeys import axe
from tests.journeys.browsing import PHONE
from tests.journeys.desk.at_the_desk import Opens

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: Unfold's own (rule, a part of the element): its header holds a title and a switch outside of any landmark.
UNFOLDS = (
    ("region: ", "sidebarDesktopOpen"),
    ("region: ", '<h1 class="overflow-hidden'),
    ("region: ", "sidebarMobileOpen"),
)


def faults(desk_page: object) -> list[str]:
    """Return axe's violations within our part of the page and its dialog."""
    found = axe.violations(desk_page)  # type: ignore[arg-type]
    return [one for one in found if not any(rule in one and part in one for rule, part in UNFOLDS)]


def test_an_edition_is_shaped_with_the_keyboard_alone(open_desk: Opens) -> None:
    desk = open_desk()
    first, second, third = (desk.title(place) for place in range(3))
    desk.press("j")
    expect(desk.page.locator("[id^='paper-']:focus")).to_have_count(1)
    key = desk.focused()
    desk.press("p")
    desk.hears(f"Pinned “{first}")
    desk.focuses(key)  # where it was, although the board was made anew
    desk.press("j", "p")
    desk.hears(f"Pinned “{second}")
    desk.press("j", "p")
    desk.hears(f"Pinned “{third}")
    assert desk.pinned() == [first, second, third]

    desk.press("[")
    desk.hears("to place 2")
    desk.press("Alt+ArrowUp")
    desk.hears("to place 1")
    assert desk.pinned() == [third, first, second]
    desk.press("]")
    desk.hears("to place 2")
    assert desk.pinned() == [first, third, second]

    desk.press("n")
    desk.page.keyboard.type("Not this")
    desk.press("Escape")
    desk.press("n")
    desk.page.keyboard.type("Read <this> first")
    expect(desk.page.locator(".pb-noting[open] .pb-counted")).to_have_text("17 of 280")
    desk.press("Enter")
    desk.hears("Saved the note")
    noted = desk.edition.candidates.exclude(note="").get()
    assert (noted.note, noted.paper.title) == ("Read <this> first", third)
    desk.focuses(f"paper-{noted.paper_id}")

    desk.press("j", "j", "h")
    desk.hears("no reader gets it")
    assert desk.edition.candidates.filter(hidden=True).count() == 1
    desk.press("u")
    desk.hears("Undone: maria hid")
    assert not desk.edition.candidates.filter(hidden=True).exists()

    desk.press("?")
    expect(desk.page.get_by_role("dialog", name="Keys of the desk")).to_be_visible()
    desk.press("Escape", "/")
    desk.page.keyboard.type(first[:12])
    desk.hears("1 of ")
    expect(desk.page).to_have_url(re.compile(r"\?q="))
    desk.page.reload()
    expect(desk.rows()).to_have_count(1)


def test_quick_fingers_lose_nothing(open_desk: Opens) -> None:
    desk = open_desk()
    titles = [desk.title(place) for place in range(4)]
    desk.press("j", "p", "j", "p", "j", "p", "j", "p")  # without waiting for any answer
    desk.hears(f"Pinned “{titles[3]}")
    assert desk.pinned() == titles


def test_keys_can_be_turned_off_and_do_nothing_where_one_types(open_desk: Opens) -> None:
    desk = open_desk()
    desk.page.get_by_label("Search").fill("")
    desk.page.get_by_label("Search").press_sequentially("phjk")
    assert desk.pinned() == []
    desk.open()
    desk.page.get_by_role("button", name="Keys").click()
    desk.page.get_by_label("Single keys do these things").uncheck()
    desk.page.get_by_role("button", name="Close").click()
    desk.press("j")
    assert not desk.focused().startswith("paper-")


def test_pins_are_dragged_into_order_and_buttons_do_the_same(open_desk: Opens) -> None:
    desk = open_desk()
    titles = [desk.title(place) for place in range(3)]
    for title in titles:
        desk.page.get_by_role("button", name=f"Pin {title}", exact=True).click()
        desk.hears(f"Pinned “{title}")
    desk.page.set_viewport_size({"width": 1280, "height": 1600})  # all of them in view
    grip = desk.rows().nth(2).locator(".pb-grip")
    start, end = grip.bounding_box(), desk.rows().nth(0).bounding_box()
    assert start
    assert end
    mouse = desk.page.mouse
    mouse.move(start["x"] + 4, start["y"] + 10)
    mouse.down()
    for below in (260, 120, 90, 60, 40, 20, 10):  # a hand is slower than the browser's own steps of a drag
        mouse.move(end["x"] + 20 + below / 10, end["y"] + below, steps=3)
        desk.page.wait_for_timeout(250)
    mouse.up()
    desk.hears("to place 1")
    assert desk.pinned() == [titles[2], titles[0], titles[1]]
    desk.page.get_by_role("button", name=f"Move down: {titles[2]}").click()
    desk.hears("to place 2")
    assert desk.pinned() == [titles[0], titles[2], titles[1]]
    expect(desk.page.locator("[id^='down-']:focus")).to_have_count(1)


def test_search_filters_and_more_come_without_reload(
    open_desk: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PER_PAGE", 10)
    desk = open_desk()
    desk.page.evaluate("window.same = true")
    expect(desk.rows()).to_have_count(10)
    desk.page.get_by_role("link", name="Show more papers").click()
    expect(desk.rows()).to_have_count(20)
    expect(desk.rows().nth(10)).to_be_focused()
    desk.press("h")
    desk.hears("no reader gets it")
    expect(desk.rows()).to_have_count(20)
    desk.page.get_by_label("Show", exact=True).select_option("hidden")
    expect(desk.rows()).to_have_count(1)
    expect(desk.page).to_have_url(re.compile(r"\?only=hidden$"))
    desk.page.get_by_label("Search").fill("zzz nothing")
    expect(desk.page.get_by_text("No paper answers this")).to_be_visible()
    assert desk.page.evaluate("window.same")


def test_the_second_of_two_curators_is_told_and_keeps_what_was_typed(open_desk: Opens) -> None:
    maria, noor = open_desk(), open_desk("noor")
    for desk, text in ((maria, "Maria's line"), (noor, "Noor's line")):
        desk.press("j", "n")
        desk.page.keyboard.type(text)
    # A draft survives what else is done meanwhile.
    noor.page.get_by_role("button", name=f"Pin {noor.title(1)}", exact=True).click()
    noor.hears("Pinned")
    field = noor.page.locator(".pb-noting[open] input[name=note]")
    expect(field).to_have_value("Noor's line")
    maria.press("Enter")
    maria.hears("Saved the note")
    field.press("Enter")
    noor.hears("maria changed the note")
    noor.hears("It now says: “Maria's line”")
    expect(field).to_have_value("Noor's line")
    field.press("Enter")
    noor.hears("Saved the note")
    assert maria.edition.candidates.filter(note="Noor's line").count() == 1


def test_the_inbox_line_follows_what_is_typed_and_words_are_saved(open_desk: Opens) -> None:
    desk = open_desk()
    subject = desk.page.get_by_label("Subject line")
    if not subject.is_visible():
        desk.page.get_by_text("Subject line and word to readers").click()
    subject.fill("Robots that fold laundry")
    line = desk.page.get_by_role("img", name=re.compile("On a phone: .*Robots that fold laundry"))
    expect(line).to_be_visible()
    desk.page.get_by_label("Word to all readers").fill("Look at https://example.org/today")
    expect(desk.page.locator("[data-looks] a")).to_have_text("https://example.org/today")
    desk.page.get_by_role("button", name="Save word").click()
    desk.hears("Saved the word")
    expect(subject).to_have_value("Robots that fold laundry")  # a draft still
    desk.page.get_by_role("button", name="Save subject").click()
    desk.hears("Saved the subject")
    desk.edition.refresh_from_db()
    assert (desk.edition.subject, desk.edition.note) == (
        "Robots that fold laundry",
        "Look at https://example.org/today",
    )
    desk.page.get_by_text("What was decided").click()
    desk.page.get_by_role("button", name="Undo (maria changed the word").click()
    desk.hears("Undone")
    desk.edition.refresh_from_db()
    assert desk.edition.note == ""


def test_the_inbox_line_follows_what_is_pinned(open_desk: Opens) -> None:
    desk = open_desk()
    last = desk.title(desk.rows().count() - 1)
    desk.page.get_by_role("button", name=f"Pin {last}", exact=True).click()
    desk.hears("Pinned")
    start = last[:20]
    expect(desk.page.get_by_role("img", name=re.compile(f"On a computer: .*, [^,]*{start}"))).to_be_attached()


def test_the_answer_is_seen_wherever_in_the_list_the_deed_was_done(open_desk: Opens) -> None:
    desk = open_desk()
    last = desk.title(desk.rows().count() - 1)
    desk.page.get_by_role("button", name=f"Hide {last}", exact=True).click()
    desk.hears("Hid")
    assert desk.page.evaluate("scrollY") > 0
    expect(desk.page.locator(".pb-answer")).to_be_in_viewport(ratio=1)


def test_without_javascript_the_desk_is_ordinary_forms(open_desk: Opens) -> None:
    desk = open_desk(script=False)
    first = desk.title(0)
    desk.page.get_by_role("button", name=f"Pin {first}", exact=True).click()
    expect(desk.page.get_by_text(f"Pinned “{first[:80]}”.")).to_be_visible()
    desk.page.get_by_text(f"Write a note on {first}").click()
    desk.page.get_by_label(f"One line about {first}").fill("x" * 281)
    desk.page.get_by_label(f"One line about {first}").press("Enter")
    expect(desk.page.get_by_text("280 is the most")).to_be_visible()
    expect(desk.page.get_by_label(f"One line about {first}")).to_have_value("x" * 281)
    desk.page.get_by_label("Search").fill("zzz nothing")
    desk.page.get_by_label("Search").press("Enter")
    expect(desk.page.get_by_text("No paper answers this")).to_be_visible()
    assert desk.pinned() == [first]


def test_who_is_logged_out_meanwhile_is_told_and_keeps_what_was_typed(open_desk: Opens) -> None:
    desk = open_desk()
    desk.press("j", "n")
    desk.page.keyboard.type("Half an hour of thought")
    desk.page.context.clear_cookies()
    desk.press("Enter")
    expect(desk.page.get_by_role("alert").first).to_contain_text(re.compile("Log in"))
    expect(desk.page.locator(".pb-noting[open] input[name=note]")).to_have_value("Half an hour of thought")
    desk.tab.complaints.clear()  # the refusal is on the console


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["frozen", "sent", "open"])
def test_the_desk_is_fit_for_everybody(open_desk: Opens, scheme: str, state: str) -> None:
    desk = open_desk(color_scheme=scheme)
    desk.press("j", "p")
    desk.hears("Pinned")
    desk.press("j", "h")
    desk.hears("no reader")
    desk.press("j", "n")
    desk.page.keyboard.type("A line")
    desk.press("Enter")
    desk.hears("Saved")
    Edition.objects.filter(pk=desk.edition.pk).update(state=state)
    desk.open()
    if scheme == "dark":
        desk.page.evaluate("document.documentElement.classList.add('dark')")
    for panel in desk.page.locator(".pb-panel:not([open]) > summary").all():
        panel.click()
    assert faults(desk.page) == []
    desk.page.set_viewport_size({"width": PHONE, "height": 800})
    assert desk.tab.overflow() <= 0
    assert faults(desk.page) == []
