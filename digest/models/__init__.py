"""The tables of papers, editions and deliveries, one file per group."""

from digest.models.deliveries import Delivery
from digest.models.editions import Candidate, Edition, EditionTerms
from digest.models.ingestion import IngestRun, SourceTurn
from digest.models.papers import Appearance, Paper, PaperTopic

__all__ = [
    "Appearance",
    "Candidate",
    "Delivery",
    "Edition",
    "EditionTerms",
    "IngestRun",
    "Paper",
    "PaperTopic",
    "SourceTurn",
]
