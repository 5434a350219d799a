"""The curators' pages about readers: find, show, and a few deeds that ask first."""

from subscribers.admin.audit_log import AuditEventAdmin
from subscribers.admin.importing import ImportJobAdmin
from subscribers.admin.leaving import LeavingReasonAdmin
from subscribers.admin.readers import SubscriberAdmin
from subscribers.admin.records import ConsentEventAdmin, ConsentTextAdmin, SystemMailAdmin
from subscribers.admin.suppressions import SuppressionAdmin

__all__ = [
    "AuditEventAdmin",
    "ConsentEventAdmin",
    "ConsentTextAdmin",
    "ImportJobAdmin",
    "LeavingReasonAdmin",
    "SubscriberAdmin",
    "SuppressionAdmin",
    "SystemMailAdmin",
]
