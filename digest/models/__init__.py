"""The tables of papers, editions and deliveries, one file per group."""

from digest.models.curating import Decision, EditionReach
from digest.models.deliveries import Delivery
from digest.models.editions import Candidate, Edition, EditionTerms
from digest.models.events import Click, ProviderEvent
from digest.models.figures import CandidateFigures, DailyFigures, EditionFigures, EditionTally, TopicFigures
from digest.models.guarding import Guard
from digest.models.ingestion import IngestRun, SourceTurn
from digest.models.papers import Appearance, Paper, PaperTopic
from digest.models.verdicts import BounceVerdict

__all__ = [
    "Appearance",
    "BounceVerdict",
    "Candidate",
    "CandidateFigures",
    "Click",
    "DailyFigures",
    "Decision",
    "Delivery",
    "Edition",
    "EditionFigures",
    "EditionReach",
    "EditionTally",
    "EditionTerms",
    "Guard",
    "IngestRun",
    "Paper",
    "PaperTopic",
    "ProviderEvent",
    "SourceTurn",
    "TopicFigures",
]
