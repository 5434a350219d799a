"""The curators' pages on Django's admin: approve an edition, edit the topics."""

from digest.admin.editions import EditionAdmin
from digest.admin.topics import TopicAdmin

__all__ = ["EditionAdmin", "TopicAdmin"]
