"""Write many deliveries with one prepared statement: the ORM's bulk_update costs milliseconds a row here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from digest.models import Delivery


def write(
    fields: Sequence[str],
    rows: Iterable[tuple[Delivery, Mapping[str, Any]]],
    *,
    was: Sequence[Delivery.State],
) -> None:
    """Write `fields` of each delivery from its mapping, where the row has its epoch and a state in `was`.

    A row that another owner took over, or that a sweep has ended, is left alone.
    """
    by_name = {field.name: field for field in Delivery._meta.concrete_fields}
    columns = [by_name[name] for name in fields]
    assignments = ", ".join(f"{connection.ops.quote_name(str(column.column))} = %s" for column in columns)
    states = ", ".join(["%s"] * len(was))
    table = connection.ops.quote_name(Delivery._meta.db_table)
    statement = f"UPDATE {table} SET {assignments} WHERE id = %s AND epoch = %s AND state IN ({states})"  # noqa: S608
    parameters = [
        (
            *(column.get_db_prep_save(values[column.name], connection) for column in columns),
            delivery.pk,
            delivery.epoch,
            *map(str, was),
        )
        for delivery, values in rows
    ]
    if parameters:
        with connection.cursor() as cursor:
            cursor.executemany(statement, parameters)
