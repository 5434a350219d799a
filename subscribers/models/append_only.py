"""Tables whose rows are added and never changed. Retention alone has a way past this, and says so."""

from typing import Any, NoReturn, TypeVar

from django.db import models

_Row_co = TypeVar("_Row_co", bound=models.Model, covariant=True)


class AppendOnlyError(TypeError):
    """Something tried to change or delete a row of a log."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(f"Rows of {model.__name__} are added, never changed; retention alone forgets them.")


class AppendOnlyQuerySet(models.QuerySet[_Row_co]):
    """Reads and adds; refuses the rest."""

    def update(self, **_fields: Any) -> NoReturn:  # noqa: ANN401 - Django's signature
        """Refuse. Raises AppendOnlyError."""
        raise AppendOnlyError(self.model)

    def bulk_update(self, *_rows: Any, **_options: Any) -> NoReturn:  # noqa: ANN401 - Django's signature
        """Refuse. Raises AppendOnlyError."""
        raise AppendOnlyError(self.model)

    def bulk_create(self, *rows: Any, **options: Any) -> list[_Row_co]:  # noqa: ANN401 - Django's signature
        """Add `rows`. Raises AppendOnlyError where they would change those that are there."""
        if options.get("update_conflicts"):
            raise AppendOnlyError(self.model)
        return super().bulk_create(*rows, **options)

    def delete(self) -> NoReturn:
        """Refuse. Raises AppendOnlyError."""
        raise AppendOnlyError(self.model)


class AppendOnly(models.Model):
    """A row that is written once; its model takes a manager of an `AppendOnlyQuerySet`.

    Erasing a reader still empties the foreign keys to them: Django does that by `_base_manager`, which is a
    plain manager. So does `subscribers.retention`, on purpose and nowhere else.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Add the row. Raises AppendOnlyError for one that is there already."""
        if not self._state.adding:
            raise AppendOnlyError(type(self))
        # Else Django would try to update first: a new row under the key of an old one would replace it.
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *_args: Any, **_options: Any) -> NoReturn:  # noqa: ANN401 - Django's signature
        """Refuse. Raises AppendOnlyError."""
        raise AppendOnlyError(type(self))
