"""The code to copy: what was chosen, escaped, usable by everybody, and good for a sign-up."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from subscribers.models import SignupRequest, Topic
from tests.cast import NOON, a_topic
from tests.subscribers.door.markup import Elements, code

pytestmark = pytest.mark.django_db

LAB = "https://lab.example.org"
OTHER = "https://other.example.org:8443"


@pytest.fixture(autouse=True)
def _origins(settings: Settings) -> None:
    settings.EMBED_ORIGINS = [LAB, OTHER]


def test_the_code_carries_what_was_chosen(client: Client) -> None:
    a_topic("vision")
    page = client.get("/embed/code/?topic=vision&q=proofs+%26+programs").content.decode()
    frame = Elements(code(page, "code-frame")).all("iframe")[0]
    assert frame["src"] == "https://papers.example.org/embed/?topic=vision&q=proofs+%26+programs"
    assert frame["title"] == "Subscribe to Daily Papers"
    form = Elements(code(page, "code-form"))
    assert form.all("form") == [{"method": "post", "action": "https://papers.example.org/subscribe/"}]
    values = {field["name"]: field.get("value") for field in form.all("input")}
    assert values == {"address": None, "topics": "vision", "words": "proofs & programs", "website": None}


def test_names_that_look_like_html_stay_text_in_the_code(client: Client) -> None:
    a_topic("odd", name='</textarea><b>"Odd" & co')
    page = client.get("/embed/code/", {"topic": "odd", "q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in page
    assert "</textarea><b>" not in page
    copied = code(page, "code-form")
    assert "<script" not in copied
    assert "<b>" not in copied
    fields = {field["name"]: field.get("value") for field in Elements(copied).all("input")}
    assert fields["words"] == '"><script>alert(1)</script>'
    assert "script" not in code(page, "code-frame").replace("%3Cscript", "").replace("%2Fscript", "")


def test_every_field_of_the_copied_form_has_its_label_and_the_trap_is_out_of_the_way(client: Client) -> None:
    a_topic("vision")
    page = client.get("/embed/code/?topic=vision&q=proofs").content.decode()
    copied = code(page, "code-form")
    labels = {label.get("for") for label in Elements(copied).all("label")}
    fields = Elements(copied).all("input")
    assert all(field["type"] == "checkbox" or field["id"] in labels for field in fields if "type" in field)
    assert {field["id"] for field in fields if field.get("type") != "checkbox"} <= labels
    assert re.search(
        r'<label><input type="checkbox" name="topics" value="vision" checked> Vision</label>', copied
    )
    trap = copied[copied.index("<p hidden") :]
    assert trap.startswith('<p hidden aria-hidden="true">')
    assert 'name="website" tabindex="-1"' in trap
    assert "unsubscribe with one click in every mail" in copied


@pytest.mark.parametrize(
    "query", ["topic=nonsense", "topic=%00", "q=%00", "q=" + "x" * 201, "topic=vision&topic="]
)
def test_a_choice_that_is_none_is_told_and_the_code_is_made_without_it(client: Client, query: str) -> None:
    a_topic("vision")
    response = client.get(f"/embed/code/?{query}")
    page = response.content.decode()
    assert response.status_code == 200
    assert 'class="error"' in page
    assert 'name="words"' not in code(page, "code-form")
    assert "nonsense" not in code(page, "code-frame")


def test_the_page_tells_where_the_frame_shows_and_what_the_operator_must_set(
    client: Client, settings: Settings
) -> None:
    assert f"<strong>{LAB}</strong>, <strong>{OTHER}</strong>" in client.get("/embed/code/").content.decode()
    settings.EMBED_ORIGINS = []
    page = client.get("/embed/code/").content.decode()
    assert "No site may show the frame yet" in page
    assert "EMBED_ORIGINS=" in page


def test_topics_out_of_use_are_not_offered(client: Client) -> None:
    Topic.objects.all().delete()
    a_topic("retired", active=False)
    page = client.get("/embed/code/?topic=retired").content.decode()
    assert "retired" not in code(page, "code-form")
    assert "Retired" not in client.get("/embed/").content.decode()


def test_the_copied_form_asks_for_one_more_press_on_our_page(client: Client) -> None:
    a_topic("vision")
    page = client.get("/embed/code/?topic=vision&q=proofs").content.decode()
    fields = {f["name"]: f.get("value") or "" for f in Elements(code(page, "code-form")).all("input")}
    asked = client.post("/subscribe/", {**fields, "address": "ada@example.org"}, headers={"Origin": LAB})
    assert asked.status_code == 422
    again = asked.content.decode()
    assert "Please press Subscribe once more." in again
    assert re.search(r'value="vision"[^>]* checked', again)
    assert "proofs</textarea>" in again
    fresh = re.search(r'name="stamp" value="([^"]+)"', again)
    assert fresh
    with time_machine.travel(NOON + timedelta(seconds=3), tick=False):
        fields = {**fields, "address": "ada@example.org", "stamp": unescape(fresh[1])}
        assert client.post("/subscribe/", fields).status_code == 303
    assert SignupRequest.objects.get().words == ["proofs"]
