"""The curators' pages on Django's admin: editions and topics, and the rows behind every figure."""

from digest.admin import hidden
from digest.admin.deliveries import DeliveryAdmin
from digest.admin.editions import EditionAdmin
from digest.admin.figures import DailyFiguresAdmin, EditionFiguresAdmin
from digest.admin.groups import GroupAdmin
from digest.admin.locks import LockAdmin
from digest.admin.papers import PaperAdmin
from digest.admin.records import CandidateAdmin, DecisionAdmin, IngestRunAdmin, ProviderEventAdmin
from digest.admin.topics import TopicAdmin
from digest.admin.users import UserAdmin
from digest.admin.verdicts import BounceVerdictAdmin

__all__ = [
    "BounceVerdictAdmin",
    "CandidateAdmin",
    "DailyFiguresAdmin",
    "DecisionAdmin",
    "DeliveryAdmin",
    "EditionAdmin",
    "EditionFiguresAdmin",
    "GroupAdmin",
    "IngestRunAdmin",
    "LockAdmin",
    "PaperAdmin",
    "ProviderEventAdmin",
    "TopicAdmin",
    "UserAdmin",
    "hidden",
]
