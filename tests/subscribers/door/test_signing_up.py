"""Signing up: what the form takes, keeps and offers, and sentences for slips."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import Signer
from django.test import Client

from subscribers import admission, signups, stamps
from subscribers.models import ConsentEvent, ConsentText, SignupRequest, Subscriber, SystemMail
from tests.cast import NOON, a_topic, the_wording
from tests.subscribers.door.visits import sign_up, stamp

pytestmark = pytest.mark.django_db

Status = Subscriber.Status


def shown_stamp(page: str) -> str:
    (shown,) = re.findall(r'name="stamp" value="([^"]*)"', page)
    return str(shown)


def test_the_form_offers_the_topics_in_use_and_shows_the_wording(client: Client) -> None:
    a_topic("vision")
    a_topic("retired", active=False)
    page = client.get("/subscribe/").content.decode()
    assert "Vision" in page
    assert "Retired" not in page
    assert "unsubscribe with one click in every mail" in page


def test_a_wish_is_written_down_and_becomes_a_reader_with_topics_words_and_proof(client: Client) -> None:
    vision = a_topic("vision")
    response = sign_up(
        client,
        address=" Ada@Example.ORG ",
        topics=[vision.slug],
        words="proof assistants\r\n\r\ngraphs",
        time_zone="Europe/Paris",
    )
    assert (response.status_code, response["Location"]) == (303, "/subscribe/sent/")
    assert SignupRequest.objects.get().address == "Ada@example.org"
    assert not Subscriber.objects.exists()
    assert signups.take_in(at=NOON) == 1
    reader = Subscriber.objects.get()
    assert (reader.address, reader.status) == ("Ada@example.org", Status.PENDING)
    assert (reader.time_zone, reader.created_at) == ("Europe/Paris", NOON)
    assert [p.topic for p in reader.preferences.all()] == [vision]
    assert [i.text for i in reader.interests.order_by("pk")] == ["proof assistants", "graphs"]
    assert reader.consent_events.get().network == "127.0.0.1"
    assert SystemMail.objects.get().kind == SystemMail.Kind.CONFIRM


def test_the_wording_on_the_page_is_the_one_recorded_though_a_newer_one_has_come(client: Client) -> None:
    shown = the_wording()
    opened = stamp()
    ConsentText.objects.create(version="2027-01-1", wording="I would like other mails.")
    assert sign_up(client, address="ada@example.org", stamp=opened).status_code == 303
    signups.take_in(at=NOON)
    assert ConsentEvent.objects.get().text == shown


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "\x00", "Europe/Paris" * 99])
def test_a_time_zone_that_is_none_is_ignored(client: Client, zone: str) -> None:
    assert sign_up(client, address="ada@example.org", time_zone=zone).status_code == 303
    signups.take_in(at=NOON)
    assert Subscriber.objects.get().time_zone == "UTC"


def test_a_refused_form_says_why_and_keeps_what_was_typed(client: Client) -> None:
    vision = a_topic("vision")
    response = sign_up(client, address="mıke@example.org", topics=[vision.slug], words="kept words\nx")
    page = response.content.decode()
    assert response.status_code == 422
    assert "Only letters without accents can stand before the @." in page
    assert "too short to look for" in page
    assert 'value="mıke@example.org"' in page
    assert "kept words" in page
    assert re.findall(r'value="([\w-]+)" id="id_topics_\d+" checked', page) == [vision.slug]
    assert 'aria-invalid="true"' in page
    assert not SignupRequest.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"address": ""},
        {"address": "a" * 5000 + "@example.org"},
        {"address": "ada@example.org\r\nBcc: eve@example.org"},
        {"address": "ada@example.org\x00"},
        {"address": "ada@example.org", "topics": ["0", "nonsense"]},
        {"address": "ada@example.org", "topics": ["\x00", "9" * 30]},
        {"address": "ada@example.org", "words": "w" * 201},
        {"address": "ada@example.org", "words": "\n".join(f"word {n}" for n in range(41))},
        {"address": "ada@example.org", "words": "zero\u200bwidth"},
        {"address": "ada@example.org", "words": "nul\x00"},
    ],
)
def test_nonsense_is_refused_without_a_row(client: Client, data: dict[str, Any]) -> None:
    response = sign_up(client, **data)
    assert response.status_code == 422
    assert 'class="error"' in response.content.decode()
    assert not SignupRequest.objects.exists()


def test_what_was_typed_comes_back_escaped(client: Client) -> None:
    page = sign_up(
        client, address='"><script>alert(1)</script>', words="</textarea><script>"
    ).content.decode()
    assert "<script>" not in page


def test_a_program_that_fills_every_field_is_thanked_and_forgotten(client: Client) -> None:
    response = sign_up(client, address="ada@example.org", website="https://spam.example")
    assert (response.status_code, response["Location"]) == (303, "/subscribe/sent/")
    assert not SignupRequest.objects.exists()


def test_a_form_on_another_site_needs_one_more_press_and_no_cookie(client: Client) -> None:
    vision = a_topic("vision")
    typed = {"address": "ada@example.org", "topics": [vision.slug], "words": "kept words"}
    elsewhere = {"Origin": "https://lab.example", "Sec-Fetch-Site": "cross-site"}
    response = client.post("/subscribe/", typed, headers=elsewhere)
    assert (response.status_code, not response.cookies) == (422, True)
    page = response.content.decode()
    assert "Please press Subscribe once more." in page
    assert "One thing needs another look" not in page
    assert 'value="ada@example.org"' in page
    assert "kept words" in page
    assert f'value="{vision.slug}" id="id_topics' in page
    assert not SignupRequest.objects.exists()
    with time_machine.travel(NOON + timedelta(seconds=2)):
        assert client.post("/subscribe/", {**typed, "stamp": shown_stamp(page)}).status_code == 303
    assert SignupRequest.objects.get().words == ["kept words"]


@pytest.mark.parametrize("age", [timedelta(seconds=2), timedelta(minutes=5), timedelta(hours=24)])
def test_a_page_may_have_been_open_or_in_a_cache_for_a_day(client: Client, age: timedelta) -> None:
    page = client.get("/subscribe/").content.decode()
    with time_machine.travel(NOON + age):
        data = {"address": "ada@example.org", "stamp": shown_stamp(page)}
        assert client.post("/subscribe/", data).status_code == 303


@pytest.mark.parametrize("age", [timedelta(), timedelta(seconds=1.9), timedelta(hours=24, seconds=1)])
def test_a_page_sent_too_soon_or_too_late_is_shown_again_and_its_next_press_is_taken(
    client: Client, age: timedelta
) -> None:
    page = client.get("/subscribe/").content.decode()
    with time_machine.travel(NOON + age, tick=False) as clock:
        data = {"address": "ada@example.org", "stamp": shown_stamp(page)}
        again = client.post("/subscribe/", data)
        assert again.status_code == 422
        assert not SignupRequest.objects.exists()
        clock.shift(timedelta(seconds=2))
        data["stamp"] = shown_stamp(again.content.decode())
        assert client.post("/subscribe/", data).status_code == 303


@pytest.mark.parametrize("door", ["/subscribe/", "/embed/"])
@pytest.mark.parametrize("first", ["too young", "too old", "none", "forged"])
def test_whoever_was_asked_to_press_once_more_is_not_asked_again_however_quick(
    client: Client, door: str, first: str
) -> None:
    young = shown_stamp(client.get(door).content.decode())
    given = {"too young": young, "too old": stamp(timedelta(days=2)), "none": "", "forged": "9.1:x"}[first]
    again = client.post(door, {"address": "ada@example.org", "stamp": given})
    assert again.status_code == 422
    data = {"address": "ada@example.org", "stamp": shown_stamp(again.content.decode())}
    assert client.post(door, data).status_code == 303


def test_a_quick_hand_with_a_slip_mends_it_and_is_through(client: Client) -> None:
    young = shown_stamp(client.get("/subscribe/").content.decode())
    slip = client.post("/subscribe/", {"address": "ada@", "stamp": young})
    data = {"address": "ada@example.org", "stamp": shown_stamp(slip.content.decode())}
    assert client.post("/subscribe/", data).status_code == 303


def test_a_page_shown_again_keeps_a_stamp_that_was_good(client: Client) -> None:
    good = stamp(timedelta(minutes=5))
    again = client.post("/subscribe/", {"address": "ada@", "stamp": good})
    assert shown_stamp(again.content.decode()) == good


@pytest.mark.parametrize("forged", ["", "0", "x" * 10_000, "\x00", "999.1:x", "ä.1:ö"])
def test_a_forged_stamp_is_answered_with_a_good_one(client: Client, forged: str) -> None:
    response = sign_up(client, address="ada@example.org", stamp=forged)
    assert response.status_code == 422
    given = stamps.read(shown_stamp(response.content.decode()))
    assert given == stamps.Stamp(NOON - admission.YOUNGEST, the_wording().pk)
    assert not SignupRequest.objects.exists()


def test_a_stamp_signed_for_something_else_is_forged(client: Client) -> None:
    other = Signer(salt="something else").sign(stamp().partition(":")[0])
    assert sign_up(client, address="ada@example.org", stamp=other).status_code == 422


def test_a_link_fills_topics_and_words_and_never_the_address(client: Client) -> None:
    vision, audio = a_topic("vision"), a_topic("audio")
    a_topic("retired", active=False)
    link = "?topic=vision&topic=audio&topic=vision&topic=retired&topic=%00&q=gaussian+splatting&q=proofs%0Ax"
    page = client.get(f"/subscribe/{link}&address=eve@example.org&stamp=forged").content.decode()
    chosen = re.findall(r'value="([\w-]+)" id="id_topics_\d+" checked', page)
    assert sorted(chosen) == [audio.slug, vision.slug]
    assert ">\ngaussian splatting\nproofs</textarea>" in page
    assert "<details open>" in page
    assert "eve@" not in page
    assert "forged" not in page


def test_a_link_with_too_much_in_it_fills_no_more_than_the_form_takes(client: Client) -> None:
    words = "&".join(f"q=subject+number+{number}" for number in range(60))
    page = client.get(f"/subscribe/?{words}&q={'w' * 201}&q=a&topic={'t' * 500}").content.decode()
    (lines,) = re.findall(r"<textarea[^>]*>\n([^<]*)</textarea>", page)
    assert lines.splitlines() == [f"subject number {number}" for number in range(40)]
    assert sign_up(client, address="ada@example.org", words=lines).status_code == 303


def test_the_form_sets_no_cookie_and_asks_about_choices_without_the_address(client: Client) -> None:
    response = client.get("/subscribe/")
    page = response.content.decode()
    assert not response.cookies
    assert "csrf" not in page
    assert 'hx-params="topics,words"' in page
    assert re.search(r'<script src="/static/digest/door\.\w+\.js" defer></script>', page)


def test_the_button_that_enter_presses_subscribes(client: Client) -> None:
    """A browser presses the form's first button (HTML, implicit submission)."""
    page = client.get("/subscribe/").content.decode()
    first, second = re.findall(r"<button[^>]*>([^<]*)</button>", page)
    assert (first, second) == ("Subscribe", "Show me what I would get")


@pytest.mark.parametrize("network", ["", "not an address", "2001:db8::7"])
def test_the_network_of_a_wish_is_kept_when_it_is_one(client: Client, network: str) -> None:
    client.defaults["REMOTE_ADDR"] = network
    client.defaults["HTTP_USER_AGENT"] = "Odd\x00\x1b[31m" + "x" * 500
    sign_up(client, address="ada@example.org")
    signups.take_in(at=NOON)
    event = ConsentEvent.objects.get()
    assert event.network == (network if ":" in network else None)
    assert event.user_agent.startswith("Odd[31mxxx")
    assert len(event.user_agent) == 200


@pytest.mark.parametrize("form", ["/subscribe/", "/embed/"])
def test_files_and_bodies_too_large_for_a_form_are_refused_unread(client: Client, form: str) -> None:
    file = SimpleUploadedFile("words.txt", b"x" * 300_000)
    response = client.post(form, {"address": "ada@example.org", "stamp": stamp(), "words": file})
    assert response.status_code == 413
    assert "Nothing of it was read" in response.content.decode()
    assert not SignupRequest.objects.exists()


def test_a_form_filled_to_its_limits_in_long_letters_is_read(client: Client) -> None:
    words = "\n".join(f"{line:02}" + "\U0001d53b" * 198 for line in range(40))
    assert sign_up(client, address="ada@example.org", words=words).status_code == 303
    assert len(SignupRequest.objects.get().words) == 40
