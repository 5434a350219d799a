"""The topics a new installation begins with are fit to choose from."""

from importlib import import_module

import pytest

from digest.matching import compile_topics, topics_for
from digest.sources.taxonomy import canonical
from subscribers.models import Topic

TOPICS = import_module("subscribers.migrations.0003_first_topics").TOPICS


@pytest.fixture
def seeded(db: None) -> list[Topic]:  # noqa: ARG001
    """The topics of the migration, whatever other tests left in the table."""
    Topic.objects.all().delete()
    fields = ("slug", "name", "description", "categories", "include", "exclude")
    return [Topic.objects.create(**dict(zip(fields, row, strict=True))) for row in TOPICS]


def test_they_are_about_twenty_sound_rows(seeded: list[Topic]) -> None:
    assert 18 <= len(seeded) <= 26
    for topic in seeded:
        topic.full_clean()
        assert topic.description.endswith(".")
        assert topic.include or topic.categories
        assert len({word.casefold() for word in topic.include}) == len(topic.include), topic.slug
        assert all(canonical(name) == name for name in topic.categories), topic.slug


@pytest.mark.parametrize(
    ("text", "categories", "slugs"),
    [
        ("Fast Gaussian splatting of gardens", [], {"3d-and-graphics"}),
        (
            "A latent diffusion model for text-to-image synthesis",
            [],
            {"diffusion-models", "image-generation"},
        ),
        ("Grasping with a humanoid", ["cs.RO"], {"robotics"}),
        ("On linear programming", [], set()),
        ("A tale of two cities", [], set()),
    ],
)
def test_they_match_what_a_reader_would_expect(
    seeded: list[Topic], text: str, categories: list[str], slugs: set[str]
) -> None:
    names = {topic.pk: topic.slug for topic in seeded}
    assert {names[pk] for pk in topics_for((text,), categories, compile_topics(seeded))} == slugs
