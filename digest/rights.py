"""Who may do what at the desk: three groups, written at every migration."""

from collections.abc import Mapping

from django.contrib.auth.models import Group, Permission

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
        "subscribers.view_subscriber",
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
OWNER = "owner"


def write_groups() -> None:
    """Make the groups what this module says; safe to repeat. Needs the permissions' rows."""
    known = {f"{p.content_type.app_label}.{p.codename}": p for p in _all()}
    for role, names in ROLES.items():
        group, _new = Group.objects.get_or_create(name=role)
        group.permissions.set([known[name] for name in names])
    owners, _new = Group.objects.get_or_create(name=OWNER)
    owners.permissions.set(list(known.values()))


def _all() -> list[Permission]:
    return list(Permission.objects.select_related("content_type"))
