"""Who may do what at the desk: three groups, written at every migration."""

from collections.abc import Mapping

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User
from django.db.models import Q, QuerySet

#: {group: permissions as "app.codename"}; the owners have all there are.
ROLES: Mapping[str, tuple[str, ...]] = {
    "curator": (
        "digest.view_edition",
        "digest.shape_edition",
        "digest.approve_edition",
        "digest.stop_edition",
        "digest.view_candidate",
        "digest.view_paper",
        "digest.view_decision",
        "digest.view_ingestrun",
        "digest.view_delivery",
        "subscribers.view_topic",
        "subscribers.add_topic",
        "subscribers.change_topic",
        "subscribers.view_leavingreason",
    ),
    "operator": (
        "digest.view_edition",
        "digest.stop_edition",
        "digest.resend_unknown",
        "digest.view_candidate",
        "digest.view_paper",
        "digest.view_decision",
        "digest.view_ingestrun",
        "digest.view_delivery",
        "digest.view_providerevent",
        "digest.view_bounceverdict",
        "digest.settle_verdicts",
        "subscribers.view_subscriber",
        "subscribers.export_subscriber",
        "subscribers.change_subscriber",
        "subscribers.delete_subscriber",
        "subscribers.view_suppression",
        "subscribers.add_suppression",
        "subscribers.delete_suppression",
        "subscribers.view_consentevent",
        "subscribers.view_consenttext",
        "subscribers.view_systemmail",
        "subscribers.view_leavingreason",
        "subscribers.view_importjob",
        "subscribers.add_importjob",
        "subscribers.change_importjob",
        "subscribers.view_topic",
    ),
}
OPERATOR, OWNER = "operator", "owner"
WHAT_THEY_DO = (
    "A curator shapes, approves and stops editions and keeps the topics, and never sees an address. An "
    "operator looks after readers and the sending, and shapes nothing. An owner may do all, people included."
)


def write_groups() -> None:
    """Make the groups what this module says; safe to repeat. Needs the permissions' rows.

    What is not there yet is passed over: a migration may stop halfway, and the next one writes again.
    """
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for role, names in ROLES.items():
        group, _new = Group.objects.get_or_create(name=role)
        group.permissions.set([known[name] for name in names if name in known])
    owners, _new = Group.objects.get_or_create(name=OWNER)
    owners.permissions.set(list(known.values()))


def is_owner(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Say whether `user` may do all there is: a superuser, or one of the owners."""
    return _is_in(user, OWNER)


def needs_second_factor(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Say whether a password alone is too little for what `user` may do or see."""
    sees_readers = isinstance(user, User) and user.has_perm("subscribers.view_subscriber")
    return sees_readers or _is_in(user, OPERATOR, OWNER)


def owners() -> QuerySet[User]:
    """Return all who may do everything and can log in."""
    everybody = User.objects.filter(is_active=True, is_staff=True)
    return everybody.filter(Q(is_superuser=True) | Q(groups__name=OWNER)).distinct()


def _is_in(user: AbstractBaseUser | AnonymousUser, *groups: str) -> bool:
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or user.groups.filter(name__in=groups).exists()
