"""Choosing and pausing behind the link of a mail."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from subscribers.models import Subscriber
from subscribers.views.saying import SAVED_SECONDS
from tests.cast import NOON, a_reader, a_topic
from tests.subscribers.door.visits import choices, choosing, kept_private, snapshot, weight

pytestmark = pytest.mark.django_db

Status = Subscriber.Status


def test_choices_are_saved_shown_and_said_to_be_saved(client: Client) -> None:
    vision, audio, graphs = a_topic("vision"), a_topic("audio"), a_topic("graphs")
    reader = a_reader("ada@example.org", vision, audio)
    given = choices(
        words="Proof assistants\nproof  ASSISTANTS\n gaussian   splatting ",
        authors="Ada Example",
        excluded="blockchain",
        frequency="weekly",
        weekday="4",
        local_time="06:45",
        time_zone="Asia/Kolkata",
        size="25",
        **{weight(vision): "2", weight(audio): "0", weight(graphs): "1"},
    )
    response = client.post(choosing(reader) + "?form=choices", given)
    assert response.status_code == 303
    assert response["Location"].startswith(choosing(reader) + "?saved=choices&at=")
    reader.refresh_from_db()
    assert {p.topic: p.weight for p in reader.preferences.all()} == {vision: 2, graphs: 1}
    kept = list(reader.interests.order_by("pk").values_list("kind", "text"))
    assert kept == [
        ("words", "Proof assistants"),
        ("words", "gaussian splatting"),
        ("author", "Ada Example"),
        ("exclude", "blockchain"),
    ]
    assert (reader.frequency, reader.weekday, reader.size) == ("weekly", 4, 25)
    assert (reader.send_minute, reader.time_zone) == (6 * 60 + 45, "Asia/Kolkata")
    page = client.get(response["Location"]).content.decode()
    assert "Saved." in page
    for shown in ('value="06:45"', 'value="25"', "gaussian splatting", "blockchain", "Ada Example"):
        assert shown in page
    assert '<option value="Asia/Kolkata" selected>' in page
    assert f'name="{weight(vision)}" value="2" id="id_{weight(vision)}_2" checked' in page


def test_a_page_opened_again_later_does_not_say_that_it_has_just_saved(client: Client) -> None:
    reader = a_reader("ada@example.org")
    for form, data, said in ("choices", choices(), "Saved"), ("pause", {"days": "0"}, "Welcome back"):
        after = client.post(f"{choosing(reader)}?form={form}", data)["Location"].partition("#")[0]
        assert said in client.get(after).content.decode()
        for seconds in -SAVED_SECONDS - 1, SAVED_SECONDS + 1:
            with time_machine.travel(NOON + timedelta(seconds=seconds)):
                assert said not in client.get(after).content.decode()
        for odd in "x", "9" * 400, "²":
            page = client.get(f"{choosing(reader)}?saved={form}&at={odd}")
            assert (page.status_code, said in page.content.decode()) == (200, False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": "4"}, "5 papers at least"),
        ({"size": "26"}, "25 papers at most"),
        ({"size": "many"}, "a number from 5 to 25"),
        ({"local_time": "25:99"}, "a time such as"),
        ({"local_time": ""}, "required"),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
        ({"frequency": "hourly"}, "Select a valid choice"),
        ({"weekday": "7"}, "Select a valid choice"),
        ({"words": "x"}, "too short"),
        ({"excluded": "\u202etxet"}, "invisible character"),
        ({"authors": "a" * 201}, "too long"),
    ],
)
def test_a_refused_choice_says_why_and_saves_nothing(
    client: Client, changes: dict[str, str], sentence: str
) -> None:
    reader = a_reader("ada@example.org", a_topic("vision"))
    before = snapshot()
    response = client.post(choosing(reader), choices(**{"authors": "Kept Author", **changes}))
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert "Nothing is saved yet" in page
    assert snapshot() == before


def test_a_weight_that_is_none_is_refused(client: Client) -> None:
    vision = a_topic("vision")
    reader = a_reader("ada@example.org", vision)
    assert client.post(choosing(reader), choices(**{weight(vision): "3"})).status_code == 422
    assert reader.preferences.get().weight == 1


def test_the_page_shows_no_more_of_the_address_than_its_owner_needs(client: Client) -> None:
    response = client.get(choosing(a_reader("ada@example.org")))
    assert "a•••@example.org" in response.content.decode()
    assert "ada@" not in response.content.decode()
    assert kept_private(response)


def test_a_zone_set_elsewhere_is_kept_and_offered(client: Client) -> None:
    reader = a_reader("ada@example.org", time_zone="Etc/GMT+5")
    assert '<option value="Etc/GMT+5" selected>' in client.get(choosing(reader)).content.decode()
    assert client.post(choosing(reader), choices(time_zone="Etc/GMT+5")).status_code == 303


def test_a_zone_that_this_machine_does_not_know_counts_as_utc(client: Client) -> None:
    reader = a_reader("ada@example.org", time_zone="Atlantis/Sunk", paused_until=date(2026, 3, 5))
    assert "Paused." in client.get(choosing(reader)).content.decode()
    client.post(choosing(reader) + "?form=pause", {"days": "7"})
    reader.refresh_from_db()
    assert reader.paused_until == date(2026, 3, 11)


@pytest.mark.parametrize(
    ("data", "until"),
    [
        ({"days": "7"}, date(2026, 3, 12)),
        ({"days": "30"}, date(2026, 4, 4)),
        ({"until": "2026-12-24"}, date(2026, 12, 24)),
        ({"days": "0"}, None),
    ],
)
def test_a_pause_counts_from_the_readers_own_day(
    client: Client, data: dict[str, str], until: date | None
) -> None:
    # Noon in UTC on the 4th is past midnight on the 5th on Kiritimati.
    reader = a_reader("ada@example.org", time_zone="Pacific/Kiritimati", paused_until=date(2026, 3, 30))
    response = client.post(choosing(reader) + "?form=pause", data)
    assert response.status_code == 303
    assert response["Location"].startswith(choosing(reader) + "?saved=pause&at=")
    assert response["Location"].endswith("#pause")
    reader.refresh_from_db()
    assert reader.paused_until == until
    page = client.get(response["Location"].partition("#")[0]).content.decode()
    assert page.count("Paused.") == (until is not None)
    assert ("Welcome back" in page) == (until is None)


@pytest.mark.parametrize(
    "data", [{}, {"until": "soon"}, {"until": "2026-03-04"}, {"until": "2029-01-01"}, {"days": "9"}]
)
def test_a_pause_without_an_end_in_reach_is_refused(client: Client, data: dict[str, str]) -> None:
    reader = a_reader("ada@example.org")
    assert client.post(choosing(reader) + "?form=pause", data).status_code == 422
    reader.refresh_from_db()
    assert reader.paused_until is None


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_choices_of_one_who_is_not_subscribed_are_closed(client: Client, status: Subscriber.Status) -> None:
    reader = a_reader("ada@example.org", status=status)
    assert client.get(choosing(reader)).status_code == 410
    assert client.post(choosing(reader), choices(size="25")).status_code == 410
    reader.refresh_from_db()
    assert reader.size == 10


def test_a_page_of_choices_costs_a_few_queries_however_many_topics(client: Client) -> None:
    reader = a_reader("ada@example.org", *[a_topic(f"topic-{n}") for n in range(20)])
    with CaptureQueriesContext(connection) as queries:
        client.get(choosing(reader))
    assert len(queries) <= 6


@pytest.mark.parametrize(
    ("button", "data", "said"),
    [
        ("pause", {"days": "14"}, "Paused."),
        ("pause", {"until": "2026-12-24"}, "Paused."),
        ("choices", {"until": "2026-12-24"}, "Paused."),
        ("account", {}, "is on its way to"),
    ],
)
def test_every_button_saves_the_choices_too_and_the_page_says_both(
    client: Client, button: str, data: dict[str, str], said: str
) -> None:
    reader = a_reader("ada@example.org")
    pressed = client.post(f"{choosing(reader)}?form={button}", choices(size="20", words="splats", **data))
    page = client.get(pressed["Location"].partition("#")[0]).content.decode()
    assert ("Saved." in page, said in page) == (True, True)
    reader.refresh_from_db()
    assert (reader.size, reader.interests.get().text) == (20, "splats")


@pytest.mark.parametrize(
    ("button", "data"),
    [("pause", {"days": "14"}), ("account", {}), ("pause", {"until": "soon", "size": "9"})],
)
def test_a_slip_stops_every_button_and_loses_nothing(
    client: Client, button: str, data: dict[str, str]
) -> None:
    reader = a_reader("ada@example.org")
    before = snapshot()
    given = choices(**{"size": "99", "words": "splats", **data})
    response = client.post(f"{choosing(reader)}?form={button}", given)
    page = response.content.decode()
    assert (response.status_code, page.count('role="alert"')) == (422, 1)
    assert "splats" in page
    assert f'value="{given["size"]}"' in page
    assert ('href="#id_size"' in page) == (given["size"] == "99")
    assert ('href="#id_until"' in page) == ("until" in data)
    assert snapshot() == before
