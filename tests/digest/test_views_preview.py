"""Tests of the preview's page and fragment."""

import re
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

import pytest
import time_machine
from django.core import serializers
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from digest import previewing
from digest.models import Candidate, Delivery, Edition, Paper
from digest.views.preview import LONGEST_BODY
from subscribers import limits
from subscribers.forms import LinesField
from subscribers.models import SignupRequest, Subscriber, Topic
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic
from tests.subscribers.door.visits import KEPT

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_noon")]
TODAY = NOON.date()
ADDRESS = "ada.lovelace+papers@example.org"


@pytest.fixture
def _at_noon() -> object:
    with time_machine.travel(NOON, tick=False):
        yield


def asked(client: Client, **form: object) -> str:
    """Return what htmx would show."""
    answer = client.post("/preview/", form, headers={"hx-request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def sent(client: Client, body: str, **headers: str) -> "Response":
    return client.post("/preview/", body, content_type="application/x-www-form-urlencoded", headers=headers)


def titles(html: str) -> list[str]:
    return re.findall(r'class="title" dir="auto"><a href="[^"]*">([^<]*)</a>', html)


def rows() -> str:
    kept = (*KEPT, SignupRequest, Topic, Paper, Edition, Candidate, Delivery)
    return "".join(serializers.serialize("json", model.objects.order_by("pk")) for model in kept)


def test_the_fragment_shows_the_papers_for_the_choices_with_their_reasons(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper("Splats", a_topic("vision")), a_paper("Proofs, checked"), a_paper("Loud"))
    html = asked(client, topics=["vision"], words="proofs")
    assert titles(html) == ["Proofs, checked", "Splats"]
    assert "because you follow Vision" in html
    assert "because it matches “proofs”" in html
    assert "<h2>2 papers from today, for these choices</h2>" in html
    assert "<html" not in html
    assert "<form" not in html


def test_fewer_choices_bring_other_papers(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper("Splats", a_topic("vision")), a_paper("Loud", upvotes=50))
    assert titles(asked(client, topics=["vision"]))[0] == "Splats"
    assert titles(asked(client))[0] == "Loud"


def test_a_title_leads_to_the_papers_own_page_and_is_escaped(client: Client) -> None:
    paper = a_paper("<script>alert(1)</script> & <b>", identity="hep-th/9901001", arxiv_id="hep-th/9901001")
    a_frozen_edition(TODAY, paper)
    html = asked(client)
    assert '<a href="/papers/hep-th/9901001/">&lt;script&gt;' in html
    assert "<script" not in html


def test_the_page_holds_the_form_as_it_was_filled_and_the_preview(client: Client) -> None:
    a_topic("vision")
    a_frozen_edition(TODAY, a_paper("Splats", Topic.objects.get(slug="vision")))
    words = "gaussian <splatting>\n x \n\nNeRF & co"
    answer = client.post("/preview/", {"address": ADDRESS, "topics": ["vision"], "words": words})
    html = answer.content.decode()
    assert answer.status_code == 200
    assert f'value="{ADDRESS}"' in html
    assert "gaussian &lt;splatting&gt;\n x \n\nNeRF &amp; co</textarea>" in html
    assert re.search(r'value="vision"[^>]*\bchecked', html)
    assert titles(html) == ["Splats"]
    assert 'aria-invalid="true"' not in html
    assert ADDRESS not in "".join(re.findall(r'(?:href|src|action|formaction)="([^"]*)"', html))


def test_the_forms_time_goes_on_from_the_page_it_was_first_on(client: Client) -> None:
    first = re.search(r'name="stamp" value="([^"]+)"', client.get("/subscribe/").content.decode())
    assert first
    with time_machine.travel(NOON + timedelta(seconds=9), tick=False):
        page = client.post("/preview/", {"stamp": first[1]}).content.decode()
    assert f'name="stamp" value="{first[1]}"' in page


def test_a_form_that_came_without_its_time_gets_one(client: Client) -> None:
    for form in {}, {"stamp": ""}:
        assert re.search(r'name="stamp" value="[^"]+"', client.post("/preview/", form).content.decode())


def test_an_address_that_is_none_is_kept_as_it_was_typed(client: Client) -> None:
    html = client.post("/preview/", {"address": 'ada"@', "words": ""}).content.decode()
    assert 'value="ada&quot;@"' in html


def test_the_preferences_page_asks_with_weights_names_and_exclusions(client: Client) -> None:
    vision, robots = a_topic("vision"), a_topic("robots")
    a_frozen_edition(
        TODAY, a_paper("Eyes", vision), a_paper("Arms", robots), a_paper("Hers", authors=["Grace Sample"])
    )
    form = {
        f"topic-{vision.pk}": "1",
        f"topic-{robots.pk}": "2",
        "topic-99999": "2",
        "topic-x": "2",
        "authors": "Grace Sample",
        "excluded": "eyes",
        "size": "25",
        "frequency": "daily",
    }
    assert titles(asked(client, **form)) == ["Hers", "Arms"]
    page = client.post("/preview/", form).content.decode()
    assert titles(page) == ["Hers", "Arms"]
    assert "Go back to the page with your choices" in page
    assert 'name="address"' not in page


@pytest.mark.parametrize("weight", ["0", "3", "-1", "1e9", "x", "", "٢"])
def test_a_weight_that_is_none_follows_nothing(client: Client, weight: str) -> None:
    vision = a_topic("vision")
    a_frozen_edition(TODAY, a_paper("Eyes", vision))
    assert "you follow" not in asked(client, **{f"topic-{vision.pk}": weight})


def test_topics_that_are_not_on_offer_are_ignored(client: Client) -> None:
    retired = a_topic("retired", active=False)
    a_frozen_edition(TODAY, a_paper("Old", retired))
    html = asked(client, topics=["retired", "nonsense", "\x00", "' OR 1=1", "9" * 500])
    assert "for these choices" not in html


def test_a_line_half_typed_is_told_of_and_the_others_count(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper("Proofs, checked"))
    html = asked(client, words="p\nproofs\n" + "long " * 60 + "\n\u202etorrap")
    assert "because it matches “proofs”" in html
    assert "Left out: “p” is too short" in html
    assert "Left out: “long long" in html
    assert "Left out: A line holds an invisible character" in html


def test_more_lines_than_a_digest_follows_are_left_out_and_told_of(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper("Proofs, checked"))
    html = asked(client, words="\n".join([f"subject{n}" for n in range(40)] + ["proofs"]))
    assert "Left out: the lines after the first 40." in html
    assert "matches" not in html


def test_nothing_that_fits_is_said_plainly(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper("Loud", upvotes=50))
    html = asked(client, words="knitting\nthe latest papers")
    assert "Nothing in this edition fits what you chose, so these are what everybody gets." in html
    assert "“<bdi>the latest papers</bdi>” names no subject" in html
    assert titles(html) == ["Loud"]


def test_before_the_first_edition_the_preview_says_so(client: Client) -> None:
    assert "The first edition is still being made" in asked(client, words="proofs")


def test_a_get_leads_to_the_form(client: Client) -> None:
    for answer in client.get("/preview/"), client.head("/preview/"):
        assert (answer.status_code, answer["Location"]) == (303, "/subscribe/")
    assert client.put("/preview/").status_code == 405


def test_a_preview_writes_nothing_sets_no_cookie_and_is_kept_nowhere() -> None:
    client = Client(enforce_csrf_checks=True)
    a_frozen_edition(TODAY, a_paper("Splats", a_topic("vision")))
    before = rows()
    for headers in {"hx-request": "true"}, {"origin": "https://elsewhere.example"}:
        answer = client.post(
            "/preview/", {"address": ADDRESS, "topics": ["vision"], "words": "splats"}, headers=headers
        )
        assert answer.status_code == 200
        assert not answer.cookies
        assert "no-store" in answer["Cache-Control"]
    assert rows() == before
    assert not Subscriber.objects.exists()


def test_a_form_too_long_is_refused_unread_with_a_way_back(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    a_frozen_edition(TODAY, a_paper())
    body = "words=" + "x" * LONGEST_BODY
    with django_assert_num_queries(0):
        page, fragment = sent(client, body), sent(client, body, **{"hx-request": "true"})
    assert (page.status_code, fragment.status_code) == (400, 200)
    for answer in page, fragment:
        assert "more than a preview can look through" in answer.content.decode()
    assert "way back" in page.content.decode()


def test_thousands_of_fields_are_refused_and_hundreds_of_topics_cost_one_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    a_frozen_edition(TODAY, a_paper())
    assert sent(client, urlencode([("topics", f"t{n}") for n in range(5000)])).status_code == 400
    client.post("/preview/", headers={"hx-request": "true"})
    with django_assert_num_queries(6):
        sent(client, urlencode([("topics", f"t{n}") for n in range(900)]), **{"hx-request": "true"})


def test_a_broken_upload_is_refused_with_a_sentence(client: Client) -> None:
    answer = client.post("/preview/", b"--x", content_type="multipart/form-data; boundary=")
    assert answer.status_code == 400
    assert "more than a preview can look through" in answer.content.decode()


def test_of_lists_of_hundreds_of_subjects_the_first_count_and_the_page_says_so(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper())
    words = "\n".join(", ".join(f"a{line}b{n}" for n in range(20)) for line in range(30))
    said = "looks up the first 20 subjects and names, so 580 of yours are not shown here."
    assert f"{previewing.MOST_PHRASES} subjects" in said
    assert said in asked(client, words=words)
    page = client.post("/preview/", {"words": words, "address": ADDRESS})
    assert page.status_code == 200
    assert words in page.content.decode()
    assert "looks up the first" not in asked(client, words="kites\nbells")


@pytest.mark.usefixtures("cache_server")
def test_a_network_that_asks_without_end_is_told_so_and_loses_nothing(client: Client) -> None:
    a_frozen_edition(TODAY, a_paper("Kites"))
    for _ in range(limits.PREVIEWS_PER_NETWORK):
        assert limits.may_preview("127.0.0.1", at=NOON)
    assert "Too many previews are asked for from your network" in asked(client, words="kites")
    page = client.post("/preview/", {"words": "kites", "address": ADDRESS})
    assert (page.status_code, page["Retry-After"]) == (429, "60")
    assert "kites</textarea>" in page.content.decode()
    assert ADDRESS in page.content.decode()
    client.defaults["REMOTE_ADDR"] = "203.0.113.7"
    assert titles(asked(client, words="kites")) == ["Kites"]


def test_without_the_cache_previews_are_shown_all_the_same(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    a_frozen_edition(TODAY, a_paper("Kites"))
    assert titles(asked(client, words="kites")) == ["Kites"]


def test_an_older_edition_is_named_by_its_day(client: Client) -> None:
    a_frozen_edition(TODAY - timedelta(days=1), a_paper())
    assert "<h2>One paper from Tuesday 3 March</h2>" in asked(client)


def test_a_run_of_accents_is_never_normalised_at_full_length(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, lengths = unicodedata.normalize, [0]

    def measured(form: Literal["NFC", "NFKD"], text: str) -> str:
        lengths.append(len(text))
        return real(form, text)

    monkeypatch.setattr(unicodedata, "normalize", measured)
    a_frozen_edition(TODAY, a_paper("Kites"))
    run = "\u0300\u0316" * 12_000
    for words in run, f"kites\n{run}", "\n".join(["\u0300\u0316" * 250] * 60):
        before = sum(lengths)
        assert "Left out:" in asked(client, words=words, authors=words, excluded=run)
        assert sum(lengths) - before <= 3 * LinesField.longest
        for address in "ada@example.org", f"ada@{run}.example":
            form = {"address": address, "words": words}
            assert client.post("/subscribe/", form).status_code == 422
            answer = client.post("/api/subscribe", form, content_type="application/json")
            assert answer.status_code in {413, 422}
        client.get("/", {"q": words[:4000]})
    assert "matches “kites”" in asked(client, words=f"kites\n{run}")
    assert 1000 < max(lengths) <= LinesField.longest


@pytest.mark.usefixtures("cache_server")
def test_a_form_over_the_limit_is_not_looked_into(
    client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(limits, "PREVIEWS_PER_NETWORK", 0)
    a_frozen_edition(TODAY, a_paper("Kites"))
    with django_assert_num_queries(0):
        assert "Too many previews" in asked(client, topics=["vision"], words="x\n" * 500)
