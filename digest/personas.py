"""Readers who do not exist, to see an edition with their eyes: each has a name that says who they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Persona:
    """One of them: {topic's slug: weight}, own words, authors and exclusions, papers a digest.

    `days`: how long ago their last digest was; None for somebody new, who sees the edition's own papers.
    """

    slug: str
    name: str
    topics: Mapping[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    size: int = 10
    days: int | None = None


# First one who needs the edition's own papers alone: they are looked up soonest after a decision.
PERSONAS = (
    Persona(
        "language-researcher",
        "Language researcher, every day",
        {"language-models": 2, "natural-language-processing": 1, "interpretability": 1},
        words=("mechanistic interpretability", "long context language models"),
    ),
    Persona(
        "robotics-engineer",
        "Robotics engineer, weekly",
        {"robotics": 2, "reinforcement-learning": 1, "world-models": 1},
        words=("sim-to-real transfer", "dexterous manipulation"),
        size=15,
        days=7,
    ),
    Persona(
        "vision-student",
        "Vision student, 25 papers",
        {"computer-vision": 2, "3d-and-graphics": 1, "image-generation": 1, "video": 1},
        words=("gaussian splatting",),
        size=25,
    ),
    Persona(
        "agent-builder",
        "Agent builder, no benchmarks please",
        {"agents": 2, "code": 1, "retrieval-and-knowledge": 1},
        excluded=("benchmark", "survey"),
    ),
    Persona(
        "statistician",
        "Statistician, five papers",
        {"theory-and-statistics": 2},
        words=("causal discovery", "optimal transport"),
        size=5,
    ),
    Persona("curious", "Curious newcomer, follows nothing yet"),
)
BY_SLUG = {persona.slug: persona for persona in PERSONAS}
