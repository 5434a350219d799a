"""Signing up: one answer for everybody, and sentences for slips."""

import re
from typing import Any

import pytest
from django.test import Client

from subscribers import lifecycle
from subscribers.addresses import address_hash
from subscribers.models import ConsentEvent, Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_reader, a_topic
from tests.subscribers.door.visits import pending, sign_up

pytestmark = pytest.mark.django_db

Status = Subscriber.Status


def test_the_form_offers_the_topics_in_use_and_shows_the_wording(client: Client) -> None:
    a_topic("vision")
    a_topic("retired", active=False)
    page = client.get("/subscribe/").content.decode()
    assert "Vision" in page
    assert "Retired" not in page
    assert "unsubscribe with one click in every mail" in page


def test_a_sign_up_is_taken_with_its_topics_words_and_proof(client: Client) -> None:
    vision = a_topic("vision")
    response = sign_up(
        client, address=" Ada@Example.ORG ", topics=[vision.slug], words="proof assistants\r\n\r\ngraphs"
    )
    assert (response.status_code, response["Location"]) == (303, "/subscribe/sent/")
    reader = Subscriber.objects.get()
    assert (reader.address, reader.status) == ("Ada@example.org", Status.PENDING)
    assert [p.topic for p in reader.preferences.all()] == [vision]
    assert [i.text for i in reader.interests.order_by("pk")] == ["proof assistants", "graphs"]
    assert reader.consent_events.get().network == "127.0.0.1"
    assert SystemMail.objects.get().kind == SystemMail.Kind.CONFIRM


def test_the_answer_is_the_same_whatever_the_address(client: Client) -> None:
    pending("pending@example.org")
    a_reader("active@example.org")
    a_reader("left@example.org", status=Status.UNSUBSCRIBED)
    a_reader("bounced@example.org", status=Status.SUPPRESSED)
    lifecycle.suppress(address_hash("listed@example.org"), Suppression.Reason.COMPLAINT, "test", at=NOON)
    answers = set()
    for who in ("new", "pending", "active", "left", "bounced", "listed"):
        response = sign_up(client, address=f"{who}@example.org")
        page = client.get(response["Location"])
        answers.add((response.status_code, response["Location"], response.content, page.content))
    assert len(answers) == 1


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
    assert not Subscriber.objects.exists()


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
    assert not Subscriber.objects.exists()


def test_what_was_typed_comes_back_escaped(client: Client) -> None:
    page = sign_up(
        client, address='"><script>alert(1)</script>', words="</textarea><script>"
    ).content.decode()
    assert "<script>" not in page


def test_a_program_that_fills_every_field_is_thanked_and_forgotten(client: Client) -> None:
    response = sign_up(client, address="ada@example.org", website="https://spam.example")
    assert (response.status_code, response["Location"]) == (303, "/subscribe/sent/")
    assert not Subscriber.objects.exists()


def test_a_sign_up_from_another_site_is_turned_away_kindly(client: Client) -> None:
    response = client.post("/subscribe/", {"address": "ada@example.org"})
    assert response.status_code == 403
    assert "Please send that once more" in response.content.decode()
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("network", ["", "not an address", "2001:db8::7"])
def test_the_network_of_a_sign_up_is_kept_when_it_is_one(client: Client, network: str) -> None:
    client.defaults["REMOTE_ADDR"] = network
    client.defaults["HTTP_USER_AGENT"] = "Odd\x00\x1b[31m" + "x" * 500
    sign_up(client, address="ada@example.org")
    event = ConsentEvent.objects.get()
    assert event.network == (network if ":" in network else None)
    assert event.user_agent.startswith("Odd[31mxxx")
    assert len(event.user_agent) == 200
