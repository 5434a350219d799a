"""The curators' pages: approve an edition, edit a topic, and what follows from it."""

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from digest import ingestion, progress
from subscribers.models import Topic
from tests.cast import a_frozen_edition, a_paper, a_topic

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("curator", password="a-long-enough-word"))
    return client


def test_the_list_shows_each_editions_account(curator: Client) -> None:
    edition = a_frozen_edition(date(2026, 3, 4), a_paper())
    progress.keep(edition, at=timezone.now())
    page = curator.get(reverse("admin:digest_edition_changelist")).content.decode()
    assert "enrolled 0 = accepted 0" in page


@pytest.mark.parametrize("name", ["digest_edition", "subscribers_topic"])
def test_strangers_are_sent_to_the_login(client: Client, name: str) -> None:
    answer = client.get(reverse(f"admin:{name}_changelist"))
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


def edit(client: Client, topic: Topic, **changes: str) -> str:
    fields = {
        "name": topic.name,
        "slug": topic.slug,
        "description": topic.description,
        "categories": "\n".join(topic.categories),
        "include": "\n".join(topic.include),
        "exclude": "\n".join(topic.exclude),
        "active": "on",
    }
    url = reverse("admin:subscribers_topic_change", args=[topic.pk])
    return client.post(url, {**fields, **changes}, follow=True).content.decode()


def test_papers_are_matched_anew_when_a_topic_is_edited(curator: Client) -> None:
    Topic.objects.all().delete()
    paper = a_paper("Knitting with large needles")
    topic = a_topic("knitting", include=["crochet"])
    ingestion.rematch_edited(at=timezone.now())
    assert topic not in paper.topics.all()
    edit(curator, topic, include="crochet\n knitting \n\nknitting")
    topic.refresh_from_db()
    assert topic.include == ["crochet", "knitting"]
    assert ingestion.rematch_edited(at=timezone.now()) == 1
    assert topic in paper.topics.all()
    assert not Topic.objects.edited().exists()


def test_a_category_arxiv_does_not_have_is_refused_and_an_alias_made_canonical(curator: Client) -> None:
    topic = a_topic("systems", categories=["cs.RO"])
    assert "arXiv has no category cs.XX" in edit(curator, topic, categories="cs.XX")
    topic.refresh_from_db()
    assert topic.categories == ["cs.RO"]
    edit(curator, topic, categories="cs.SY")
    topic.refresh_from_db()
    assert topic.categories == ["eess.SY"]


def test_a_topic_page_shows_its_lists_as_lines(curator: Client) -> None:
    topic = a_topic("knitting", include=["crochet", "yarn & wool"])
    page = curator.get(reverse("admin:subscribers_topic_change", args=[topic.pk])).content.decode()
    assert "crochet\nyarn &amp; wool" in page
    assert "Delete" not in page
