"""The lists behind every figure of the desk: what they show, whom, and how they are found."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from digest import finding_papers
from digest.models import Decision, Delivery, Edition, EditionFigures, IngestRun, Paper, ProviderEvent
from subscribers.models import Subscriber, Topic
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic, appeared
from tests.digest.access.people import browser_of

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)


@pytest.fixture
def curator() -> Client:
    return browser_of("curator")


@pytest.fixture
def operator() -> Client:
    return browser_of("operator")


def a_delivery(edition: Edition, reader: Subscriber | None = None, **fields: Any) -> Delivery:
    reader = reader or a_reader()
    defaults = {
        "address_hash": reader.address_hash,
        "state": Delivery.State.ACCEPTED,
        "local_date": edition.day,
        "not_before": NOON,
        "expires_at": NOON + timedelta(hours=12),
    }
    return Delivery.objects.create(edition=edition, subscriber=reader, **{**defaults, **fields})


def listed(client: Client, model: str, query: str = "") -> list[Any]:
    answer = client.get(reverse(f"admin:digest_{model}_changelist") + query)
    assert answer.status_code == 200, answer
    return list(answer.context["cl"].result_list)


def page(client: Client, row: Any) -> str:
    where = reverse(f"admin:digest_{row._meta.model_name}_change", args=[row.pk])
    answer = client.get(where)
    assert answer.status_code == 200
    return answer.content.decode()


# --- Deliveries


def test_moments_are_of_a_day_of_24_hours_and_say_their_zone(curator: Client) -> None:
    sent = a_delivery(a_frozen_edition(DAY, a_paper()), settled_at=NOON + timedelta(hours=8))
    rows = curator.get(reverse("admin:digest_delivery_changelist")).content.decode()
    for shown in (rows, page(curator, sent)):
        assert "4 Mar 2026, 20:00 UTC" in shown
        assert "p.m." not in shown


def test_the_newest_editions_deliveries_are_listed_troubles_first(curator: Client) -> None:
    old = a_frozen_edition(DAY - timedelta(days=1), a_paper())
    new = a_frozen_edition(DAY, a_paper(), enrolled=2)
    a_frozen_edition(DAY + timedelta(days=1), a_paper(), state="frozen")  # nobody gets it yet
    a_delivery(old)
    accepted, unknown = a_delivery(new), a_delivery(new, state="unknown")
    assert listed(curator, "delivery") == [unknown, accepted]


def test_a_figures_link_leads_to_its_deliveries(curator: Client) -> None:
    old = a_frozen_edition(DAY - timedelta(days=1), a_paper())
    a_frozen_edition(DAY, a_paper())
    wanted = a_delivery(old, state="rejected")
    a_delivery(old)
    assert listed(curator, "delivery", f"?edition__id__exact={old.pk}&state__exact=rejected") == [wanted]
    assert listed(curator, "delivery", f"?edition__id__exact={old.pk}&state__in=rejected,unknown") == [wanted]


@pytest.mark.parametrize("fact", ["bounced", "soft_bounced", "complained", "left"])
def test_what_was_heard_of_an_edition_leads_to_its_deliveries(fact: str, curator: Client) -> None:
    edition = a_frozen_edition(DAY, a_paper())
    moment: dict[str, Any] = {f"{fact}_at": NOON}
    wanted = a_delivery(edition, **moment)
    a_delivery(edition)
    assert listed(curator, "delivery", f"?heard={fact}") == [wanted]


def test_a_readers_deliveries_are_found_over_all_editions_by_their_public_id(curator: Client) -> None:
    reader = a_reader()
    days = [a_frozen_edition(DAY - timedelta(days=ago), a_paper()) for ago in (0, 1)]
    mine = [a_delivery(edition, reader, local_date=edition.day) for edition in days]
    mine.sort(key=lambda one: -one.edition_id)
    a_delivery(days[0])
    assert listed(curator, "delivery", f"?q={reader.public_id}") == mine
    assert listed(curator, "delivery", f"?subscriber__id__exact={reader.pk}") == mine
    assert listed(curator, "delivery", f"?q={mine[0].public_id}") == [mine[0]]
    assert listed(curator, "delivery", "?q=nobody") == []


@pytest.mark.parametrize(
    "asked",
    [
        "picks__icontains=grasping",  # a reason quotes what a reader follows
        "picks__0__1__startswith=g",
        "subject__icontains=grasping",
        "address_hash__startswith=1",
        "subscriber__address__startswith=ada",
        "state__regex=(",
        "public_id__regex=(a|aa)%2B$",
    ],
)
def test_the_list_of_deliveries_tells_nothing_of_what_readers_follow(asked: str, curator: Client) -> None:
    a_delivery(a_frozen_edition(DAY, a_paper()), picks=[[1, "because you wrote “grasping”"]])
    for query in (f"?{asked}", f"?subscriber__id__exact=1&{asked}"):
        assert curator.get(reverse("admin:digest_delivery_changelist") + query).status_code == 400
        assert curator.post(reverse("admin:digest_delivery_export") + query).status_code == 400


@pytest.mark.parametrize(
    "asked", ["paper/?title__regex=(", "ingestrun/?error__iregex=(", "edition/?note__regex=["]
)
def test_no_list_takes_patterns(asked: str, curator: Client) -> None:
    assert curator.get(f"/admin/digest/{asked}").status_code == 400


def test_a_curator_sees_who_got_it_by_public_id_alone(curator: Client) -> None:
    reader = a_reader("ada@example.org")
    delivery = a_delivery(a_frozen_edition(DAY, a_paper()), reader)
    link = reverse("admin:subscribers_subscriber_change", args=[reader.pk])
    listing = curator.get(reverse("admin:digest_delivery_changelist")).content.decode()
    for text in (listing, page(curator, delivery)):
        assert reader.public_id in text
        assert "example.org" not in text
        assert reader.address_hash not in text
        assert link not in text


def test_an_operator_is_led_to_the_reader(operator: Client) -> None:
    reader = a_reader("ada@example.org")
    delivery = a_delivery(a_frozen_edition(DAY, a_paper()), reader)
    link = reverse("admin:subscribers_subscriber_change", args=[reader.pk])
    assert link in operator.get(reverse("admin:digest_delivery_changelist")).content.decode()
    assert link in page(operator, delivery)


def test_a_delivery_tells_its_papers_and_survives_its_reader(curator: Client) -> None:
    paper, reader = a_paper("Seeing <b>far</b>"), a_reader()
    delivery = a_delivery(a_frozen_edition(DAY, paper), reader, picks=[[paper.pk, "you follow it"], [0, "x"]])
    for who in (reader, None):
        text = page(curator, delivery)
        assert "<p>Seeing &lt;b&gt;far&lt;/b&gt;</p><p>a paper that is gone</p>" in text
        if who:
            who.delete()
    assert "erased" in text


def test_why_a_reader_got_a_paper_is_for_who_may_see_readers(curator: Client, operator: Client) -> None:
    paper = a_paper("Seeing far")
    delivery = a_delivery(a_frozen_edition(DAY, paper), picks=[[paper.pk, "you follow it"]])
    assert "<p>Seeing far: you follow it</p>" in page(operator, delivery)
    assert "you follow it" not in page(curator, delivery)


@pytest.mark.parametrize("key", ["x", "-1", "1e3", "9" * 30, "²"])
@pytest.mark.parametrize("filtered", ["delivery/?edition__id__exact=", "paper/?topics__id__exact="])
def test_a_key_that_is_none_leads_back_to_the_list(filtered: str, key: str, curator: Client) -> None:
    answer = curator.get(f"/admin/digest/{filtered}{key}", follow=True)
    assert answer.status_code == 200


# --- Papers


@pytest.mark.parametrize(
    "typed",
    [
        "2503.02130",
        "arXiv:2503.02130v2",
        "https://arxiv.org/abs/2503.02130",
        " https://arxiv.org/pdf/2503.02130v1.pdf ",
    ],
)
def test_a_paper_is_found_by_its_arxiv_id_wherever_it_was_copied(typed: str) -> None:
    wanted = a_paper("Wanted", identity="2503.02130", arxiv_id="2503.02130")
    a_paper("Close", identity="2503.0213", arxiv_id="2503.0213")
    assert list(finding_papers.found(Paper.objects.all(), typed)) == [wanted]


def test_an_old_id_is_an_id_and_so_is_another_sources(curator: Client) -> None:
    old = a_paper(identity="hep-th/9901001", arxiv_id="hep-th/9901001")
    other = a_paper(identity="huggingface:xyz", arxiv_id=None)
    assert listed(curator, "paper", "?q=arXiv:hep-th/9901001v3") == [old]
    assert listed(curator, "paper", "?q=huggingface:xyz") == [other]


@pytest.mark.parametrize("typed", ["diffus video", "VIDEO diffusion", "video, diffusion!"])
def test_a_paper_is_found_by_words_of_its_title_in_any_order(typed: str, curator: Client) -> None:
    wanted = a_paper("Diffusion for Video Generation")
    a_paper("Diffusion for images")
    assert listed(curator, "paper", f"?q={typed}") == [wanted]


@pytest.mark.parametrize(
    "typed", ["' OR 1=1", "a & !b | (c", ":*", "%", "\x00", "\\", "the", "<->", "x" * 5_000]
)
def test_whatever_is_typed_is_only_looked_for(typed: str, curator: Client) -> None:
    a_paper("Diffusion for Video Generation")
    answer = curator.get(reverse("admin:digest_paper_changelist"), {"q": typed})
    assert answer.status_code == 200


def test_papers_are_filtered_by_topic_category_and_withdrawal(curator: Client) -> None:
    topic = a_topic("vision", categories=["cs.CV"])
    seen = a_paper("Seen", topic, primary_category="cs.CV")
    gone = a_paper("Gone", withdrawn_at=NOON)
    assert listed(curator, "paper", f"?topics__id__exact={topic.pk}") == [seen]
    assert listed(curator, "paper", "?primary_category__exact=cs.CV") == [seen]
    assert listed(curator, "paper", "?withdrawn=yes") == [gone]
    assert listed(curator, "paper") == [gone, seen]


def test_a_paper_tells_all_that_is_known_of_it_as_text(curator: Client) -> None:
    topic = a_topic("vision")
    paper = a_paper("Seeing <script>", topic, abstract="We <b>see</b>.", code_url="javascript:alert(1)")
    appeared(paper, DAY)
    edition = a_frozen_edition(DAY, paper)
    text = page(curator, paper)
    assert "Seeing &lt;script&gt;" in text
    assert "We &lt;b&gt;see&lt;/b&gt;." in text
    assert f"https://arxiv.org/abs/{paper.arxiv_id}" in text
    assert reverse("admin:digest_edition_change", args=[edition.pk]) in text
    assert reverse("admin:subscribers_topic_change", args=[topic.pk]) in text
    assert "Hugging Face 2026-03-04" in text
    assert "javascript:" not in text


def test_nothing_of_a_paper_is_changed_by_hand(curator: Client) -> None:
    paper = a_paper("As it came")
    where = reverse("admin:digest_paper_change", args=[paper.pk])
    assert curator.post(where, {"title": "Otherwise"}).status_code == 403
    paper.refresh_from_db()
    assert paper.title == "As it came"


# --- Candidates, decisions, receipts, events, figures


def test_candidates_are_those_of_the_newest_edition_or_of_one_paper(curator: Client) -> None:
    paper = a_paper(upvotes=3)
    old = a_frozen_edition(DAY - timedelta(days=1), paper)
    new = a_frozen_edition(DAY, paper, a_paper(upvotes=9))
    assert [row.upvotes for row in listed(curator, "candidate")] == [9, 3]
    assert {row.edition_id for row in listed(curator, "candidate")} == {new.pk}
    assert len(listed(curator, "candidate", f"?edition__id__exact={old.pk}")) == 1
    assert len(listed(curator, "candidate", f"?paper__id__exact={paper.pk}")) == 2


def test_a_receipt_says_why_it_failed(curator: Client) -> None:
    def receipt(category: str, **fields: Any) -> IngestRun:
        return IngestRun.objects.create(
            source="arxiv", category=category, day=DAY, started_at=NOON, **{"state": "complete", **fields}
        )

    receipt("cs.CV", announced=212, new=200)
    failed = receipt("cs.LG", state="failed", error="arXiv did not answer. It is asked again.")
    assert listed(curator, "ingestrun", "?state__exact=failed") == [failed]
    assert len(listed(curator, "ingestrun", "?source__exact=arxiv&day__exact=2026-03-04")) == 2
    assert listed(curator, "ingestrun", "?source__exact=huggingface") == []
    text = curator.get(reverse("admin:digest_ingestrun_changelist")).content.decode()
    assert "arXiv did not answer. It is asked again." in text
    assert "212" in text


def test_decisions_say_who_decided_what_and_what_stood_there_before(curator: Client) -> None:
    edition, paper = a_frozen_edition(DAY, a_paper()), a_paper()
    Decision.objects.create(
        edition=edition, paper=paper, kind="pinned", before={"pin": None}, after={"pin": 1}, by_name="vera",
        revision=1, at=NOON,
    )  # fmt: skip
    text = curator.get(reverse("admin:digest_decision_changelist")).content.decode()
    assert "vera" in text
    assert paper.title in text


def test_an_empty_list_says_whether_something_was_asked_for(curator: Client) -> None:
    receipts = reverse("admin:digest_ingestrun_changelist")
    page = curator.get(receipts).content.decode()
    assert "It fills by itself" in page
    assert "Show all" not in page
    page = curator.get(receipts + "?state__exact=failed").content.decode()
    assert "Nothing answers this" in page
    assert "Show all" in page
    topics = reverse("admin:subscribers_topic_changelist")
    Topic.objects.all().delete()
    assert "Add topic" in curator.get(topics).content.decode()


def test_what_is_shown_to_a_curator_leads_nowhere_that_is_closed_to_them(
    operator: Client, curator: Client
) -> None:
    edition, owner = a_frozen_edition(DAY), User.objects.create_user("owner-1")
    delivery = a_delivery(edition)
    decision = Decision.objects.create(
        edition=edition, by=owner, by_name="owner-1", kind=Decision.Kind.WORD, at=NOON, revision=1
    )
    assert "What the provider told" in page(operator, delivery)
    assert "What the provider told" not in page(curator, delivery)
    told = page(curator, decision)
    assert "owner-1" in told
    assert reverse("admin:auth_user_change", args=[owner.pk]) not in told


def test_events_lead_to_their_delivery_and_are_for_operators(operator: Client, curator: Client) -> None:
    delivery = a_delivery(a_frozen_edition(DAY, a_paper()))
    event = ProviderEvent.objects.create(
        provider="postmark", key="1", kind="bounced", delivery=delivery, recipient_hash="abc", at=NOON,
        received_at=NOON,
    )  # fmt: skip
    assert listed(operator, "providerevent", f"?delivery__id__exact={delivery.pk}") == [event]
    assert listed(operator, "providerevent", "?kind__exact=bounced&applied=no") == [event]
    assert reverse("admin:digest_delivery_change", args=[delivery.pk]) in (
        operator.get(reverse("admin:digest_providerevent_changelist")).content.decode()
    )
    assert curator.get(reverse("admin:digest_providerevent_changelist")).status_code == 403


def test_kept_figures_are_told_in_words(curator: Client) -> None:
    EditionFigures.objects.create(
        edition=a_frozen_edition(DAY, a_paper()), states={"accepted": 9_000, "unknown": 0},
        facts={"soft_bounced": 2}, enrolled=9_000, at=NOON,
    )  # fmt: skip
    text = curator.get(reverse("admin:digest_editionfigures_changelist")).content.decode()
    assert "accepted 9,000" in text
    assert "soft bounced 2" in text
    assert "unknown" not in text


@pytest.mark.parametrize(
    "model",
    [
        "paper",
        "candidate",
        "delivery",
        "decision",
        "ingestrun",
        "providerevent",
        "dailyfigures",
        "editionfigures",
    ],
)
def test_an_empty_list_is_a_page_and_a_file(model: str, operator: Client) -> None:
    assert listed(operator, model) == []
    assert operator.post(reverse(f"admin:digest_{model}_export")).status_code == 200
