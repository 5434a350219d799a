"""A topic is edited: what would belong is seen before saving, and what readers would lose is asked about."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from digest import trying_topics
from digest.matching import compile_topics, topics_for
from digest.models import Paper, PaperTopic
from digest.rights import write_groups
from digest.shelf import Known, Shelf
from digest.trying_topics import Definition, tried
from subscribers.models import AuditEvent, Topic
from tests.cast import NOON, a_paper, a_reader, a_topic

pytestmark = pytest.mark.django_db
NEW = reverse("admin:new_topic_matches")


@pytest.fixture(autouse=True)
def _papers_of_its_own() -> None:
    trying_topics._loaded.cache_clear()


@pytest.fixture
def curator() -> Client:
    write_groups()
    user = User.objects.create_user("vera", password="a-long-enough-word", is_staff=True)
    user.groups.add(Group.objects.get(name="curator"))
    client = Client()
    client.force_login(user)
    return client


def fields(topic: Topic | None = None, **changed: str) -> dict[str, str]:
    lines = {name: "\n".join(getattr(topic, name)) if topic else "" for name in trying_topics_fields}
    named = {"name": topic.name, "slug": topic.slug, "description": topic.description} if topic else {}
    return {**named, **lines, "active": "on", **changed}


trying_topics_fields = ("categories", "include", "exclude")


def looked(curator: Client, topic: Topic | None = None, **changed: str) -> str:
    where = reverse("admin:topic_matches", args=[topic.pk]) if topic else NEW
    with time_machine.travel(NOON):
        answer = curator.post(where, fields(topic, **changed))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_each_paper_comes_with_what_makes_it_belong() -> None:
    seen = a_paper("Seeing", categories=["cs.CV"])
    said = a_paper("On gaussian splatting", categories=["cs.GR"])
    a_paper("Something else", categories=["cs.GR"])
    found = tried(Definition(["cs.CV"], ["Gaussian Splattings"]), None, at=NOON)
    assert found.count == 2
    assert [(one.key, one.why) for one in found.matched] == [
        (said.pk, "“Gaussian Splattings”"),
        (seen.pk, "cs.CV"),
    ]


def test_what_is_gained_and_lost_is_told_beside_what_is_saved() -> None:
    kept, lost = a_paper(categories=["cs.CV"]), a_paper("A survey", categories=["cs.CV"])
    gained = a_paper("With diffusion", categories=["cs.LG"])
    gone = a_paper("Only crochet", categories=["cs.LG"])
    saved = Definition(["cs.CV"], ["crochet"])
    found = tried(Definition(["cs.CV"], ["diffusion"], ["survey"]), saved, at=NOON)
    assert {one.key for one in found.matched} == {kept.pk, gained.pk}
    assert [(one.key, one.why) for one in found.gains] == [(gained.pk, "“diffusion”")]
    assert {(one.key, one.why) for one in found.losses} == {
        (lost.pk, "kept out by “survey”"),
        (gone.pk, "nothing names it any more"),
    }
    assert (found.count, found.gained, found.lost) == (2, 1, 2)


def test_papers_of_thirty_days_are_looked_at_and_withdrawn_ones_are_not() -> None:
    a_paper(categories=["cs.CV"], stored_at=NOON - timedelta(days=31))
    a_paper(categories=["cs.CV"], withdrawn_at=NOON)
    a_paper(categories=["cs.CV"], stored_at=NOON - timedelta(days=29))
    found = tried(Definition(["cs.CV"]), None, at=NOON)
    assert (found.looked_at, found.count) == (1, 1)


def test_a_paper_that_came_this_minute_is_looked_at() -> None:
    a_paper(categories=["cs.CV"])
    assert tried(Definition(["cs.CV"]), None, at=NOON).count == 1
    a_paper(categories=["cs.CV"])
    assert tried(Definition(["cs.CV"]), None, at=NOON).count == 2


def test_the_newest_are_looked_at_where_there_are_too_many_and_that_is_said(
    curator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying_topics, "MOST", 2)
    for hours in (1, 2, 3):
        a_paper(categories=["cs.CV"], stored_at=NOON - timedelta(hours=hours))
    assert "<strong>2</strong> of the newest 2 papers" in looked(curator, categories="cs.CV")


WORDS = st.sampled_from(
    ["model", "models", "Vision", "bias", "text-to-image", "a. b", "s", "loss", "Straße", "ss"]
)
TEXT = st.lists(WORDS, max_size=6).map(" ".join)


A_PAPER = st.tuples(TEXT, TEXT, st.sampled_from([(), ("cs.CV",), ("cs.LG", "cs.CV"), ("cs.LG", "cs.LG")]))


@settings(max_examples=300)
@given(
    papers=st.lists(A_PAPER, max_size=5),
    categories=st.lists(st.sampled_from(["cs.CV", " cs.LG ", "cs.RO"]), max_size=2),
    include=st.lists(TEXT, max_size=3),
    exclude=st.lists(TEXT, max_size=2),
)
def test_the_shelf_finds_what_matching_finds_of_every_paper(
    papers: list[tuple[str, str, tuple[str, ...]]],
    categories: list[str],
    include: list[str],
    exclude: list[str],
) -> None:
    topic = Definition(categories, include, exclude)
    shelf = Shelf([Known.of(key, *paper) for key, paper in enumerate(papers)])
    compiled = compile_topics([topic])
    belong = [
        key for key, (*texts, named) in enumerate(papers) if topics_for(texts, named, compiled) == {topic.id}
    ]
    assert [paper.key for paper in shelf.belonging(topic)] == belong


# --- The page


def test_nothing_is_written_by_looking(curator: Client) -> None:
    topic = a_topic("vision", categories=["cs.CV"])
    paper = a_paper(categories=["cs.RO"])
    text = looked(curator, topic, categories="cs.RO", name="Otherwise")
    assert "<strong>1</strong> of 1 paper of the last 30 days" in text
    assert "1 more" in text
    assert "0 fewer" in text
    topic.refresh_from_db()
    assert (topic.name, topic.categories) == ("Vision", ["cs.CV"])
    assert not PaperTopic.objects.filter(paper=paper).exists()
    assert not AuditEvent.objects.exists()


def test_a_slip_gets_a_sentence_while_it_is_typed(curator: Client) -> None:
    assert "arXiv has no category cs.XX. Write it like cs.CV." in looked(curator, categories="cs.XX")
    assert "At most 200 lines" in looked(curator, include="x\n".join(map(str, range(300))))


def test_a_title_is_shown_as_text(curator: Client) -> None:
    a_paper("<script>alert(1)</script> {{ 7 }}", categories=["cs.CV"])
    text = looked(curator, categories="cs.CV", include="<b>x</b>")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 }}" in text
    assert "<script>" not in text


def test_a_topic_that_asks_for_nothing_is_told_so(curator: Client) -> None:
    a_paper()
    assert "a topic with neither has no papers" in looked(curator)
    assert "No paper of the last 30 days would belong to it." in looked(curator, include="crochet")
    Paper.objects.all().delete()
    trying_topics._loaded.cache_clear()
    assert "There are no papers of the last 30 days yet." in looked(curator, include="crochet")


def test_who_may_not_edit_topics_may_not_try_them(curator: Client) -> None:
    topic = a_topic()
    User.objects.get(username="vera").groups.clear()
    assert curator.post(NEW, fields()).status_code == 403
    assert curator.post(reverse("admin:topic_matches", args=[topic.pk]), fields(topic)).status_code == 403


def test_a_topic_that_is_not_there_is_not_found(curator: Client) -> None:
    assert curator.post(reverse("admin:topic_matches", args=[987_654]), fields()).status_code == 404


def save(curator: Client, topic: Topic, **changed: str) -> Any:
    given_fields = {name: value for name, value in fields(topic, **changed).items() if value != "absent"}
    return curator.post(reverse("admin:subscribers_topic_change", args=[topic.pk]), given_fields)


def test_readers_who_follow_are_stated_and_keep_their_slug(curator: Client) -> None:
    topic = a_topic("vision", categories=["cs.CV"])
    for _ in range(2):
        a_reader("", topic)
    text = curator.get(reverse("admin:subscribers_topic_change", args=[topic.pk])).content.decode()
    assert "2 readers" in text
    assert 'name="slug"' not in text
    assert save(curator, topic, slug="sight", description="Seeing.").status_code == 302
    topic.refresh_from_db()
    assert (topic.slug, topic.description) == ("vision", "Seeing.")


def test_a_topic_that_nobody_follows_may_have_another_slug(curator: Client) -> None:
    topic = a_topic("vision")
    assert save(curator, topic, slug="sight").status_code == 302
    topic.refresh_from_db()
    assert topic.slug == "sight"


def test_taking_a_topic_from_its_readers_is_asked_about_first(curator: Client) -> None:
    topic = a_topic("vision", categories=["cs.CV"])
    a_reader("", topic)
    asked = save(curator, topic, active="absent", include="a new word")
    text = asked.content.decode()
    assert "This topic would be taken from 1 reader" in text
    assert 'name="sure"' in text
    assert "a new word" in text
    topic.refresh_from_db()
    assert topic.active
    assert save(curator, topic, active="absent", include="a new word", sure="on").status_code == 302
    topic.refresh_from_db()
    assert (topic.active, topic.include) == (False, ["a new word"])


def test_a_topic_that_nobody_follows_ends_unasked(curator: Client) -> None:
    topic = a_topic("vision")
    assert save(curator, topic, active="absent").status_code == 302
    topic.refresh_from_db()
    assert not topic.active


def test_an_edit_is_in_the_audit_log(curator: Client) -> None:
    topic = a_topic("vision")
    save(curator, topic, include="crochet")
    event = AuditEvent.objects.get(kind="changed")
    assert (event.by_name, event.about) == ("vera", "topic Vision")
    assert event.detail == "changed: include"
