"""Confirming: a link shows, a press acts."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from subscribers import lifecycle, links
from subscribers.models import Subscriber
from tests.cast import NOON
from tests.subscribers.door.visits import TRACE, choosing, confirming, kept_private, path, pending

pytestmark = pytest.mark.django_db

Status = Subscriber.Status


def test_a_confirm_link_shows_a_button_and_its_press_confirms(client: Client) -> None:
    reader = pending()
    shown = client.get(confirming(reader))
    assert shown.status_code == 200
    assert "a•••@example.org" in shown.content.decode()
    assert "ada@" not in shown.content.decode()
    assert "I would like to receive" in shown.content.decode()
    pressed = client.post(confirming(reader))
    assert (pressed.status_code, "You’re in" in pressed.content.decode()) == (200, True)
    assert Subscriber.objects.get().status == Status.ACTIVE
    assert kept_private(shown)
    assert kept_private(pressed)


def test_the_welcome_leads_to_the_choices(client: Client) -> None:
    reader = pending()
    page = client.post(confirming(reader)).content.decode()
    assert f'href="{choosing(reader)}"' in page


def test_a_confirm_link_pressed_again_says_welcome_again(client: Client) -> None:
    reader = pending()
    for _ in range(2):
        assert client.post(confirming(reader)).status_code == 200
    assert client.get(confirming(reader)).status_code == 200
    assert reader.consent_events.filter(kind="confirmed").count() == 1


def test_a_used_confirm_link_is_closed_after_its_reader_left(client: Client) -> None:
    reader = pending()
    used = confirming(reader)
    client.post(used)
    lifecycle.unsubscribe(reader.public_id, at=NOON, trace=TRACE)
    assert client.get(used).status_code == 410
    assert client.post(used).status_code == 410
    assert Subscriber.objects.get().status == Status.UNSUBSCRIBED


def test_a_confirm_link_for_an_erased_reader_or_another_wording_is_closed(client: Client) -> None:
    reader = pending()
    other = path(links.confirm_url(reader.public_id, binding="0" * 32, at=NOON))
    good = confirming(reader)
    assert client.get(other).status_code == client.post(other).status_code == 410
    reader.delete()
    assert client.get(good).status_code == client.post(good).status_code == 410


def test_an_old_link_is_closed_and_says_how_to_get_another(client: Client) -> None:
    reader = pending()
    old = confirming(reader)
    with time_machine.travel(NOON + timedelta(hours=72)):
        response = client.post(old)
    assert response.status_code == 410
    assert "too old" in response.content.decode()
    assert 'href="/subscribe/"' in response.content.decode()
    assert Subscriber.objects.get().status == Status.PENDING


def test_a_link_opened_again_after_some_minutes_promises_no_first_digest(client: Client) -> None:
    reader = pending()
    link = confirming(reader)
    assert "first digest comes within minutes" in client.post(link).content.decode()
    with time_machine.travel(NOON + timedelta(minutes=11)):
        for answer in (client.get(link), client.post(link)):
            page = answer.content.decode()
            assert (answer.status_code, "You are subscribed already" in page) == (200, True)
            assert "first digest" not in page
