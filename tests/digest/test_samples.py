"""The demo's papers: invented, complete, varied, and stored as any source's are."""

import io
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from PIL import Image
from pytest_django import Settings

from digest import samples
from digest.editions import freeze, open_edition
from digest.models import Appearance, Paper
from digest.samples import figures
from subscribers.models import Topic
from tests.cast import NOON

DAY = NOON.date()
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_all_are_stored_with_an_appearance_on_one_of_the_three_days() -> None:
    assert samples.load(DAY, NOON) == Paper.objects.count() == 26
    days = Counter(Appearance.objects.filter(source="sample").values_list("day", flat=True))
    assert set(days) == {DAY, DAY - timedelta(days=1), DAY - timedelta(days=2)}
    assert days[DAY] > 10
    assert open_edition(DAY, at=NOON).pk
    assert freeze(open_edition(DAY, at=NOON), at=NOON).candidate_count == 26


def test_loading_them_again_adds_none() -> None:
    samples.load(DAY, NOON)
    samples.load(DAY, NOON)
    assert Paper.objects.count() == 26


def test_nobody_can_take_them_for_papers_on_arxiv() -> None:
    samples.load(DAY, NOON)
    for paper in Paper.objects.all():
        assert paper.arxiv_id is None
        assert re.fullmatch(r"sample:\d\d", paper.identity)
        assert paper.pdf_url == ""


def test_each_has_what_a_digest_shows() -> None:
    samples.load(DAY, NOON)
    for paper in Paper.objects.all():
        assert 80 <= len(paper.abstract.split()) <= 150, paper.title
        assert "\n" not in paper.abstract
        assert paper.title.isprintable()
        assert 1 <= len(paper.authors) <= 24
        assert len(set(paper.authors)) == len(paper.authors)
        assert paper.published_at is not None
        assert paper.published_at < NOON
    papers = Paper.objects
    assert {1, 24} <= {len(paper.authors) for paper in papers.all()}
    assert papers.exclude(summary="").count() > papers.count() / 2
    assert papers.filter(stars__gt=0).exists()


def test_none_of_them_links_to_a_page_that_is_not_there() -> None:
    samples.load(DAY, NOON)
    for paper in Paper.objects.all():
        assert (paper.code_url, paper.project_url, paper.abstract_url) == ("", "", "")


def test_they_span_the_topics_a_new_installation_has() -> None:
    samples.load(DAY, NOON)
    assert not Paper.objects.filter(topics=None).exists()
    covered = Topic.objects.filter(papers__isnull=False).distinct().count()
    assert covered >= Topic.objects.count() * 0.8


def test_about_two_thirds_have_a_thumbnail_of_our_own() -> None:
    samples.load(DAY, NOON)
    illustrated = Paper.objects.exclude(thumbnail="")
    assert 15 <= illustrated.count() <= 20
    for paper in illustrated:
        with default_storage.open(paper.thumbnail) as file, Image.open(file) as picture:
            assert picture.format == "JPEG"
            assert picture.size == (paper.thumbnail_width, paper.thumbnail_height) == (320, 200)
    assert len(set(illustrated.values_list("thumbnail", flat=True))) == illustrated.count()


@pytest.mark.parametrize("kind", sorted(figures.KINDS))
def test_a_figure_is_drawn_the_same_every_time_and_differs_by_number(kind: str) -> None:
    assert figures.draw(kind, 3) == figures.draw(kind, 3)
    assert figures.draw(kind, 3) != figures.draw(kind, 4)
    with Image.open(io.BytesIO(figures.draw(kind, 3))) as picture:
        assert picture.size == (640, 400)
        assert len(picture.convert("RGB").getcolors(maxcolors=1_000_000) or []) > 10
