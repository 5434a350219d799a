"""Who reads, about what, and with what consent: fields, constraints and querysets that take the moment."""

from subscribers.models.audit import AuditEvent
from subscribers.models.consent import ConsentEvent, ConsentText, LeavingReason
from subscribers.models.identity import new_public_id
from subscribers.models.importing import ImportJob, ImportJobQuerySet, ImportProblem
from subscribers.models.mails import SystemMail, SystemMailQuerySet
from subscribers.models.readers import AddressChange, Interest, Preference, Subscriber, SubscriberQuerySet
from subscribers.models.signups import SignupRequest
from subscribers.models.suppression import Suppression
from subscribers.models.topics import Topic, TopicQuerySet

__all__ = [
    "AddressChange",
    "AuditEvent",
    "ConsentEvent",
    "ConsentText",
    "ImportJob",
    "ImportJobQuerySet",
    "ImportProblem",
    "Interest",
    "LeavingReason",
    "Preference",
    "SignupRequest",
    "Subscriber",
    "SubscriberQuerySet",
    "Suppression",
    "SystemMail",
    "SystemMailQuerySet",
    "Topic",
    "TopicQuerySet",
    "new_public_id",
]
