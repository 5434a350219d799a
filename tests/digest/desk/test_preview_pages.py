"""The preview's pages: who sees what, the locked-in frame, and that looking changes nothing."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from digest import curation, samples
from digest.models import Edition, EditionReach, Paper
from digest.personas import PERSONAS
from subscribers.models import AuditEvent, Subscriber, Topic
from tests.cast import NOON, a_frozen_edition, a_reader
from tests.digest.access.people import browser_of
from tests.journeys.rows import changed, rows

pytestmark = pytest.mark.django_db
WEDNESDAY = date(2026, 3, 4)
ADDRESS = "someone.special@example.org"


@pytest.fixture
def edition() -> Edition:
    samples.load(WEDNESDAY, NOON)
    papers = list(Paper.objects.all())
    edition = a_frozen_edition(WEDNESDAY, *papers, state=Edition.State.FROZEN)
    curation.pin(edition, papers[3])
    return edition


@pytest.fixture
def reader() -> Subscriber:
    return a_reader(ADDRESS)


def at(name: str, edition: Edition, said: str = "") -> str:
    return reverse(f"admin:edition_preview{name}", args=[edition.pk]) + said


def look(client: Client, edition: Edition, said: str = "", status: int = 200) -> str:
    answer = client.get(at("", edition, said))
    assert answer.status_code == status
    return answer.content.decode()


def ask_for(client: Client, edition: Edition, who: str) -> str:
    answer = client.post(at("_ask", edition), {"as": "reader", "who": who})
    assert answer.status_code == 303
    return str(answer["Location"])


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.slug)
def test_every_persona_has_a_mail(edition: Edition, persona: object) -> None:
    page = look(browser_of("curator"), edition, f"?as={persona.slug}")  # type: ignore[attr-defined]
    assert "They would get no mail" not in page
    assert "<iframe" in page


@pytest.mark.parametrize("view", ["desktop", "phone", "dark", "no-pictures", "text", "headers"])
def test_every_view_can_be_looked_at_and_writes_nothing(edition: Edition, view: str) -> None:
    client = browser_of("curator")
    EditionReach.objects.create(edition=edition)
    look(client, edition)
    before = rows()
    look(client, edition, f"?look={view}")
    client.get(at("_mail", edition, f"?look={view}"))
    client.get(at("_reach", edition))
    client.get(at("_reach", edition), headers={"HX-Request": "true"})
    assert changed(before) == {}


def test_the_plain_text_and_the_headers_are_those_of_the_mail(edition: Edition) -> None:
    client = browser_of("curator")
    assert "Unsubscribe" in look(client, edition, "?look=text")
    headers = look(client, edition, "?look=headers")
    assert "List-Unsubscribe-Post" in headers
    assert "language-researcher@readers.example" in headers


@pytest.mark.parametrize("name", ["", "_mail", "_reach"])
def test_pages_are_for_who_may_view_editions(edition: Edition, name: str) -> None:
    stranger = User.objects.create_user("newcomer", password="a-long-enough-word", is_staff=True)
    client = Client()
    assert client.get(at(name, edition)).status_code == 302
    client.force_login(stranger)
    assert client.get(at(name, edition)).status_code == 403
    assert browser_of("operator").get(at(name, edition)).status_code == 200


@pytest.mark.parametrize("name", ["_ask", "_test", "_my_address"])
def test_what_acts_is_not_asked_by_get(edition: Edition, name: str) -> None:
    assert browser_of("owner").get(at(name, edition)).status_code == 405


@pytest.mark.parametrize("name", ["", "_mail", "_reach"])
def test_an_edition_that_is_not_there_is_not_found(name: str) -> None:
    assert browser_of("curator").get(reverse(f"admin:edition_preview{name}", args=[999])).status_code == 404


def test_the_frame_is_locked_in(edition: Edition) -> None:
    answer = browser_of("curator").get(at("_mail", edition))
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert '<base target="_blank">' in answer.content.decode()


def test_the_page_around_it_gives_the_frame_no_more_rights(edition: Edition) -> None:
    page = look(browser_of("curator"), edition)
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_without_pictures_none_may_be_loaded(edition: Edition) -> None:
    client = browser_of("curator")
    assert (
        "img-src 'none'" in client.get(at("_mail", edition, "?look=no-pictures"))["Content-Security-Policy"]
    )
    assert (
        "img-src 'self' https://papers.example.org"
        in client.get(at("_mail", edition))["Content-Security-Policy"]
    )


def test_the_mails_question_for_the_dark_is_answered_in_its_head_alone(edition: Edition) -> None:
    asked = "@media (prefers-color-scheme: dark)"
    Paper.objects.filter(candidacies__pin=1).update(title=f"On {asked} in mails")
    client = browser_of("curator")
    light, dark = (
        client.get(at("_mail", edition, f"?look={view}")).content.decode() for view in ("desktop", "dark")
    )
    for page, answer in ((light, "not all"), (dark, "all")):
        head, _, body = page.partition("</head>")
        assert asked not in head
        assert head.count(f"@media {answer} {{") == 1
        assert "@media (prefers-color-scheme:" in " ".join(body.split())
    assert 'name="color-scheme" content="dark"' in dark
    assert "color-scheme: light;" in light


def test_a_hostile_paper_stays_text(edition: Edition) -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}"
    Paper.objects.filter(candidacies__pin=1).update(title=hostile)
    client = browser_of("curator")
    for page in (
        look(client, edition),
        look(client, edition, "?look=text"),
        client.get(at("_mail", edition)).content.decode(),
    ):
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_a_curator_sees_no_address_and_cannot_ask_for_a_reader(edition: Edition, reader: Subscriber) -> None:
    client = browser_of("curator")
    assert "Address or public id" not in look(client, edition)
    assert client.post(at("_ask", edition), {"as": "reader", "who": ADDRESS}).status_code == 403
    session = client.session
    session["preview_reader"] = reader.public_id
    session.save()
    for said in ("?as=reader", "?as=reader&look=headers", "?as=reader&look=text"):
        page = look(client, edition, said)
        assert ADDRESS not in page
        assert reader.public_id not in page
    assert ADDRESS not in client.get(at("_mail", edition, "?as=reader")).content.decode()


@pytest.mark.parametrize("by", ["address", "public id", "another spelling"])
def test_an_operator_finds_a_reader_and_neither_stands_in_an_address(
    edition: Edition, reader: Subscriber, by: str
) -> None:
    who = {
        "address": ADDRESS,
        "public id": reader.public_id,
        "another spelling": "Someone.Special@EXAMPLE.org",
    }[by]
    client = browser_of("operator")
    where = ask_for(client, edition, who)
    assert where == at("", edition, "?as=reader&look=desktop")
    page = look(client, edition, "?as=reader&look=headers")
    assert ADDRESS in page
    assert not re.search(rf'(href|src|action)="[^"]*({re.escape(ADDRESS)}|{reader.public_id})', page)
    assert ADDRESS in client.get(at("_mail", edition, "?as=reader")).content.decode()
    event = AuditEvent.objects.get()
    assert event.detail == f"looked at the mail of reader {reader.public_id}"
    assert "@" not in event.detail + event.about


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("nobody@example.org", "No reader has this address or public id."),
        ("x" * 22, "No reader has this address or public id."),
        ("not an address", "one plain address"),
        ("", "write a reader’s address or public id"),
    ],
)
def test_a_reader_who_is_not_found_is_told_and_the_wish_is_kept(
    edition: Edition, who: str, sentence: str
) -> None:
    answer = browser_of("operator").post(at("_ask", edition), {"as": "reader", "who": who})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert sentence in page
    assert f'value="{who}"' in page or not who
    assert not AuditEvent.objects.exists()


def test_a_reader_erased_since_is_a_persona_again(edition: Edition, reader: Subscriber) -> None:
    client = browser_of("operator")
    ask_for(client, edition, ADDRESS)
    reader.delete()
    assert PERSONAS[0].name in look(client, edition, "?as=reader")


def test_a_mix_is_shown_and_kept(edition: Edition) -> None:
    client, topic = browser_of("curator"), Topic.objects.get(slug="robotics")
    mix = {
        f"topic-{topic.pk}": "2",
        "words": "gaussian splatting\nvideo",
        "authors": "Ada Example",
        "excluded": "",
        "size": "7",
    }
    answer = client.post(at("_ask", edition), {"as": "mix", "look": "text", **mix})
    assert answer["Location"] == at("", edition, "?as=mix&look=text")
    page = look(client, edition, "?as=mix&look=text")
    assert "Robotics" in page
    assert " 7. " in page
    assert " 8. " not in page
    assert "gaussian splatting\nvideo</textarea>" in page
    assert re.search(rf'<select name="topic-{topic.pk}"[^>]*>.*?value="2" selected', page, re.DOTALL)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("size", "3", "A digest has 5 papers at least."),
        ("size", "many", "write a number from 5 to 25"),
        ("words", "x", "is too short to look for"),
        ("words", "word\n" * 3 + "y" * 300, "is too long"),
        ("excluded", "\n".join(f"word {n}" for n in range(60)), "Please keep to 40 lines."),
    ],
)
def test_a_mix_that_cannot_be_is_told_and_loses_nothing(
    edition: Edition, field: str, value: str, sentence: str
) -> None:
    mix = {
        "as": "mix",
        "words": "kept words",
        "authors": "Ada Example",
        "excluded": "",
        "size": "10",
        field: value,
    }
    answer = browser_of("curator").post(at("_ask", edition), mix)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "Ada Example" in page
    assert value.splitlines()[0][:50] in page


def test_an_open_edition_says_that_nothing_is_frozen() -> None:
    edition = Edition.objects.create(day=WEDNESDAY, opened_at=NOON)
    client = browser_of("curator")
    page = look(client, edition)
    assert "Nothing is frozen yet" in page
    assert "<iframe" not in page
    assert "There is no mail to show." in client.get(at("_mail", edition)).content.decode()


def test_an_edition_that_is_over_says_so(edition: Edition) -> None:
    Edition.objects.update(state=Edition.State.SENT)
    assert "This edition is over (sent)" in look(browser_of("curator"), edition)


def test_what_a_curator_decides_shows_on_the_next_look(edition: Edition) -> None:
    client = browser_of("curator")
    paper = Paper.objects.exclude(candidacies__pin=1).order_by("-pk").first()
    assert paper is not None
    look(client, edition, "?as=curious")
    curation.annotate_edition(edition, "A word of this very minute.")
    curation.pin(edition, paper, 1)
    mail = client.get(at("_mail", edition, "?as=curious")).content.decode()
    assert "A word of this very minute." in mail
    assert paper.title.split(":")[0] in look(client, edition, "?as=curious")


def test_a_warm_page_asks_the_database_little(
    edition: Edition, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = browser_of("curator")
    look(client, edition)
    with django_assert_max_num_queries(30):
        look(client, edition)


@pytest.mark.parametrize(
    "nonsense", ["?as=nobody", "?look=upside-down", "?as=mix", "?as=reader", "?as=" + "x" * 5_000]
)
def test_nonsense_is_the_first_persona(edition: Edition, nonsense: str) -> None:
    assert PERSONAS[0].name in look(browser_of("curator"), edition, nonsense)
