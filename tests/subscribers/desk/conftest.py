"""Who sits at the desk: one who may do everything, and one who may log in and no more."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def curator(client: Client) -> Client:
    """Return the browser of a superuser."""
    client.force_login(User.objects.create_superuser("curator", password="a-long-enough-word"))
    return client


@pytest.fixture
def newcomer() -> User:
    """Return a staff user without any permission."""
    return User.objects.create_user("newcomer", password="a-long-enough-word", is_staff=True)


def may(user: User, *codenames: str) -> Client:
    """Return the browser of `user`, who gets these permissions."""
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client
