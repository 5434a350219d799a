"""Django's `migrate`, which says in a sentence when somebody holds a table that it has to change."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError

#: PostgreSQL's "lock not available" and "deadlock detected" (its documentation, appendix A).
_HELD = {"55P03", "40P01"}


class Command(migrate.Command):
    """As Django's."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Migrate. Raises CommandError where a table was not to be had."""
        try:
            return super().execute(*args, **options)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in _HELD:
                raise
            raise CommandError(
                "Somebody holds a table that a migration has to change: a backup, another migration or a "
                "long query. It was not waited for, since everybody else would have waited behind it. What "
                "was applied before stays. Run `manage.py migrate` again once that is over."
            ) from error
