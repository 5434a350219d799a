"""Write many deliveries with one prepared statement: the ORM's bulk_update costs milliseconds a row here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection

from digest.models import Delivery


def write(fields: Sequence[str], rows: Iterable[tuple[Delivery, Mapping[str, Any]]], *, was: Delivery.State) -> None:
    """Write `fields` of each delivery from its mapping, where the row still has its epoch and the state `was`.

    A row that another owner took over, or that a sweep has ended, is left alone.
    """
    columns = [Delivery._meta.get_field(name) for name in fields]
    assignments = ", ".join(f"{connection.ops.quote_name(str(column.column))} = %s" for column in columns)
    table = connection.ops.quote_name(Delivery._meta.db_table)
    statement = f"UPDATE {table} SET {assignments} WHERE id = %s AND epoch = %s AND state = %s"  # noqa: S608
    parameters = [
        (
            *(column.get_db_prep_save(values[column.name], connection) for column in columns),
            delivery.pk,
            delivery.epoch,
            str(was),
        )
        for delivery, values in rows
    ]
    if parameters:
        with connection.cursor() as cursor:
            cursor.executemany(statement, parameters)
