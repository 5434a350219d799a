"""The groups: written at every migration, for what the module says; who counts as an owner."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command

from digest import rights
from tests.digest.access.people import somebody

pytestmark = pytest.mark.django_db


def held(group: str) -> set[str]:
    found = Permission.objects.filter(group__name=group).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


def test_the_groups_are_there_after_migrating_with_the_rights_that_the_module_names() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == {"curator", "operator", "owner"}
    for role, names in rights.ROLES.items():
        assert held(role) == set(names)
    assert Permission.objects.count() == len(held("owner"))


@pytest.mark.django_db(transaction=True)
def test_a_flush_brings_them_back() -> None:
    Group.objects.all().delete()
    call_command("flush", interactive=False, verbosity=0)
    assert held("curator") == set(rights.ROLES["curator"])
    assert "auth.change_user" in held("owner")


def test_what_somebody_added_to_a_group_by_hand_is_gone_after_the_next_migration() -> None:
    curators = Group.objects.get(name="curator")
    curators.permissions.add(Permission.objects.get(codename="view_subscriber"))
    curators.permissions.remove(Permission.objects.get(codename="shape_edition"))
    call_command("migrate", verbosity=0)
    assert held("curator") == set(rights.ROLES["curator"])


def test_the_rights_of_the_app_that_migrates_last_are_the_owners_too() -> None:
    last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
    names = [model._meta.model_name for config in (last,) for model in config.get_models()]
    assert {name for name in held("owner") if name.startswith(f"{last.label}.view_")} == {
        f"{last.label}.view_{name}" for name in names
    }


def test_curators_hold_no_right_that_shows_or_moves_readers() -> None:
    allowed = {"subscribers.view_topic", "subscribers.add_topic", "subscribers.change_topic"}
    of_readers = {name for name in rights.ROLES["curator"] if name.startswith("subscribers.")}
    assert of_readers - allowed == {"subscribers.view_leavingreason"}
    assert not {name for name in rights.ROLES["curator"] if "import" in name or "export" in name}


def test_nobody_but_owners_holds_rights_over_accounts_and_the_log() -> None:
    for names in rights.ROLES.values():
        assert not {name for name in names if name.startswith(("auth.", "axes.", "otp_", "admin."))}
        assert "subscribers.view_auditevent" not in names


def test_a_superuser_counts_as_an_owner_while_the_account_is_active() -> None:
    boss = User.objects.create_superuser("boss")
    assert rights.is_owner(boss)
    assert rights.is_owner(somebody("owner"))
    assert not rights.is_owner(somebody("operator"))
    boss.is_active = False
    boss.save()
    assert not rights.is_owner(User.objects.get(username="boss"))
    assert [user.username for user in rights.owners()] == ["owner-1"]


@pytest.mark.parametrize(
    ("role", "needs"), [("curator", False), ("newcomer", False), ("operator", True), ("owner", True)]
)
def test_operators_and_owners_need_a_second_factor(role: str, needs: bool) -> None:
    assert rights.needs_second_factor(somebody(role)) is needs


def test_so_does_who_was_given_the_right_to_see_readers_alone() -> None:
    user = somebody("newcomer")
    user.user_permissions.add(Permission.objects.get(codename="view_subscriber"))
    assert rights.needs_second_factor(User.objects.get(pk=user.pk))
