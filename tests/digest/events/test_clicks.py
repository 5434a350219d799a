"""Links that lead past the counter: for whom, where to, what is written down, and what is forgotten."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from lxml import html

from digest import forgetting
from digest.clicking import why_a_robot
from digest.clicks import MOST_ROWS
from digest.delivery import claiming
from digest.delivery.sending import Prepared, submit
from digest.models import Candidate, Click, Delivery, Edition, Paper, ProviderEvent
from digest.ranking import Pick
from digest.rendering import EditionRenderer
from digest.rendering.renderer import MOST_HTML
from subscribers import click_consent, lifecycle, links, retention
from subscribers.consent import Trace
from subscribers.models import Subscriber
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, the_first_rows
from tests.digest.events.conftest import accepted
from tests.journeys.rows import rows
from tests.subscribers.door.visits import path

pytestmark = pytest.mark.django_db

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
}
HOUR = timedelta(hours=1)
TRACE = Trace("test")


@pytest.fixture
def agreed() -> Delivery:
    """A digest of one paper whose reader agreed."""
    the_first_rows()
    delivery = accepted()
    assert delivery.subscriber
    click_consent.choose(delivery.subscriber.public_id, wanted=True, at=NOON - HOUR, trace=TRACE)
    Delivery.objects.update(clicks_counted=True, settled_at=NOON)
    delivery.refresh_from_db()
    return delivery


def way(delivery: Delivery, code: str = "t", paper: Paper | None = None) -> str:
    return path(links.click_url(delivery.public_id, f"{(paper or Paper.objects.get()).pk}-{code}"))


def follow(
    client: Client, address: str, after: timedelta = HOUR, headers: dict[str, str] | None = None
) -> Any:
    with time_machine.travel(NOON + after, tick=False):
        return client.get(address, headers={**BROWSER, **(headers or {})})


def test_a_link_leads_to_the_paper_at_once_and_is_written_down(client: Client, agreed: Delivery) -> None:
    answer = follow(client, way(agreed))
    assert (answer.status_code, answer["Location"]) == (302, Paper.objects.get().abstract_url)
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert not answer.cookies
    click = Click.objects.get()
    assert (click.delivery, click.link, click.robot, click.at) == (agreed, "t", "", NOON + HOUR)


@pytest.mark.parametrize(
    ("code", "field", "value"),
    [("j", "project_url", "http://a.example/p"), ("c", "code_url", "https://github.com/a/b?x=1&y=2")],
)
def test_each_way_leads_to_the_papers_own_address(
    client: Client, agreed: Delivery, code: str, field: str, value: str
) -> None:
    Paper.objects.update(**{field: value})
    assert follow(client, way(agreed, code))["Location"] == value


@pytest.mark.parametrize("stored", ["javascript:alert(1)", "//evil.example", "ftp://a/b", "https://a@b/", ""])
def test_no_address_but_a_sound_one_is_led_to(client: Client, agreed: Delivery, stored: str) -> None:
    Paper.objects.update(code_url=stored)
    answer = follow(client, way(agreed, "c"))
    assert answer.status_code == 410
    assert "Location" not in answer


def test_a_forged_or_swapped_link_leads_nowhere(client: Client, agreed: Delivery) -> None:
    other = a_paper("Another")
    mine = way(agreed, paper=Paper.objects.exclude(pk=other.pk).get())
    swapped = re.sub(r"\.(\d+)-t\.", f".{other.pk}-t.", mine)
    assert swapped != mine
    unsubscribe = path(links.unsubscribe_url(agreed.public_id)).replace("/u/", "/c/")
    for address in (swapped, mine[:-1] + "x", mine + "?to=https://evil.example", unsubscribe, "/c/https://a"):
        answer = follow(client, address)
        assert answer.status_code in {302, 400, 404}
        if answer.status_code == 302:
            assert answer["Location"] == Paper.objects.exclude(pk=other.pk).get().abstract_url
    assert follow(client, way(agreed, paper=Paper(pk=99_999_999))).status_code == 410


def test_a_post_is_refused(client: Client, agreed: Delivery) -> None:
    assert client.post(way(agreed)).status_code == 405
    assert not Click.objects.exists()


def test_who_did_not_agree_or_took_it_back_is_led_on_and_not_written_down(
    client: Client, agreed: Delivery
) -> None:
    address = way(agreed)
    follow(client, address)
    assert agreed.subscriber
    click_consent.choose(agreed.subscriber.public_id, wanted=False, at=NOON, trace=TRACE)
    assert not Click.objects.exists(), "what was counted is forgotten with the consent"
    before = rows()
    assert follow(client, address).status_code == 302
    assert rows() == before
    click_consent.choose(agreed.subscriber.public_id, wanted=True, at=NOON, trace=TRACE)
    Delivery.objects.update(clicks_counted=False)  # a digest from before
    follow(client, address)
    assert not Click.objects.exists()


def test_a_reader_who_is_erased_takes_the_clicks_along(client: Client, agreed: Delivery) -> None:
    address = way(agreed)
    follow(client, address)
    assert agreed.subscriber
    lifecycle.erase(agreed.subscriber.public_id, at=NOON, trace=TRACE)
    assert not Click.objects.exists()
    assert follow(client, address).status_code == 302
    assert not Click.objects.exists()


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, ""),
        ({"Sec-Purpose": "prefetch;prerender"}, "prefetched"),
        ({"Purpose": "prefetch"}, "prefetched"),
        ({"User-Agent": ""}, "no browser's name"),
        ({"User-Agent": "Barracuda Sentinel (EE)"}, "a program's name"),
        ({"User-Agent": "python-requests/2.32"}, "a program's name"),
        ({"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, "a program's name"),
        ({"User-Agent": "Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/99 Mobile Safari/537.36"}, ""),
        ({"Accept": "*/*"}, "accepts no page"),
    ],
)
def test_programs_are_told_apart_by_what_they_send(
    client: Client, agreed: Delivery, headers: dict[str, str], why: str
) -> None:
    assert follow(client, way(agreed), headers=headers).status_code == 302
    assert Click.objects.get().robot == why


def test_programs_are_told_apart_by_when_they_come_and_how_they_ask(client: Client, agreed: Delivery) -> None:
    follow(client, way(agreed), after=timedelta(seconds=9))
    assert Click.objects.get().robot == "too soon"
    with time_machine.travel(NOON + HOUR, tick=False):
        assert client.head(way(agreed), headers=BROWSER).status_code == 302
    assert Click.objects.latest("pk").robot == "asked for the head"
    sent = why_a_robot("GET", BROWSER, sent_at=NOON, at=NOON + timedelta(seconds=10))
    assert sent == ""


def test_a_double_click_is_one_and_a_flood_is_bounded(client: Client, agreed: Delivery) -> None:
    follow(client, way(agreed)), follow(client, way(agreed))
    assert Click.objects.count() == 1
    Click.objects.bulk_create(
        Click(delivery=agreed, paper=Paper.objects.get(), link="a", at=NOON) for _ in range(MOST_ROWS)
    )
    assert follow(client, way(agreed), after=2 * HOUR).status_code == 302
    assert Click.objects.count() == MOST_ROWS + 1


def test_clicks_and_events_are_forgotten_in_time_and_old_links_count_no_more(
    client: Client, agreed: Delivery
) -> None:
    follow(client, way(agreed))
    ProviderEvent.objects.create(provider="x", key="1", kind="delivered", at=NOON, received_at=NOON)
    assert forgetting.forget(at=NOON + retention.PROVIDER_EVENTS - HOUR) == 0
    assert forgetting.forget(at=NOON + retention.CLICKS + HOUR) == 2
    assert follow(client, way(agreed), after=retention.CLICKS).status_code == 302
    assert not Click.objects.exists()


PICTURED = {"thumbnail": "thumbnails/a.jpg", "thumbnail_width": 320, "thumbnail_height": 200}


def mails(*papers: Paper, reason: str = "new today") -> tuple[Any, Any, str]:
    """Return one reader's digest before and after they agreed, and the delivery's name."""
    reader = a_reader("ada@example.org")
    edition = a_frozen_edition(NOON.date(), *papers)
    renderer = EditionRenderer(edition, [])
    picks = [Pick(paper.pk, reason) for paper in papers]
    before = renderer.digest("d" * 22, reader, picks, NOON)
    reader.clicks_counted_since = NOON
    after = renderer.digest("d" * 22, reader, picks, NOON)
    reader.clicks_counted_since = None
    again = renderer.digest("d" * 22, reader, picks, NOON)
    assert bytes(again.message.message()) == bytes(before.message.message()), "others' mails are as before"
    return before, after, "d" * 22


def hrefs(mail: Any) -> list[str]:
    found = html.document_fromstring(str(mail.message.alternatives[0][0])).xpath("//a/@href")
    assert isinstance(found, list)
    return [str(address) for address in found]


def test_who_agreed_gets_the_same_mail_with_every_papers_link_past_the_counter(client: Client) -> None:
    quoted = "https://arxiv.org/abs/2603.00001"
    first = a_paper(
        "A title with href=\"https://a.example\" & <a href='x'>",
        abstract=f"We quote Abstract  {quoted} and {quoted}.",
        code_url="https://github.com/a/b?x=1&y=2",
        project_url="https://a.example/p",
        **PICTURED,
    )
    home = a_paper("Known here alone", identity="sample:1", arxiv_id=None)
    before, after, delivery = mails(first, home, reason='a topic <a href="x">')
    ours = [address for address in hrefs(after) if "/c/" in address]
    assert len(hrefs(before)) == len(hrefs(after))
    assert not [address for address in hrefs(before) if "/c/" in address]
    assert len(ours) == 6 + 2, "picture, title, abstract, PDF, code, project; title and page"
    for address, old in zip(hrefs(after), hrefs(before), strict=True):
        if address in ours:
            assert follow(client, path(address))["Location"] == old
        else:
            assert address == old
    listed = re.findall(r"^ {4}(?:Abstract|PDF|Code|Project) +(\S+)$", after.message.body, re.MULTILINE)
    assert [address for address in listed if "/c/" not in address] == []
    assert len(listed) == 4 + 1
    assert set(listed) <= set(ours)
    assert quoted in after.message.body, "what an abstract quotes is the abstract's"
    strip = re.compile(r"https://\S+?(?=[\"<\s])")
    plain, counted = (strip.sub("", str(mail.message.alternatives[0][0])) for mail in (before, after))
    assert counted == plain, "nothing but links differs"
    assert f".{delivery}." in ours[0]


def test_a_mail_with_counted_links_keeps_within_what_gmail_shows() -> None:
    papers = [
        a_paper(
            f"{number} " + "A long title " * 15,
            abstract="𝔸 long abstract. " * 60,
            code_url="https://a.example/c",
            project_url="https://a.example/j",
            **PICTURED,
        )
        for number in range(60)
    ]
    before, after, _ = mails(*papers)
    for mail in (before, after):
        assert 80_000 < len(str(mail.message.alternatives[0][0]).encode()) <= MOST_HTML
    assert 20 < len(after.shown) <= len(before.shown)


@pytest.mark.parametrize("since", [None, NOON])
def test_a_delivery_says_whether_its_links_are_counted(since: Any) -> None:
    paper = a_paper()
    edition = a_frozen_edition(NOON.date(), paper, state=Edition.State.SENDING)
    reader = a_reader(clicks_counted_since=since)
    Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=edition.day,
        not_before=NOON,
        expires_at=NOON + HOUR,
    )
    (held,) = claiming.claim(owner="w", at=NOON, limit=1)
    pick = Pick(paper.pk, "new")
    message = EditionRenderer(edition, []).message(held.public_id, reader, [pick], NOON)
    assert submit([Prepared(held, [pick], message, NOON)], at=NOON)
    assert Delivery.objects.get().clicks_counted is (since is not None)
    assert Candidate.objects.count() == Subscriber.objects.count() == 1
