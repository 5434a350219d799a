"""All that the database holds, to compare before and after."""

from django.db import connection


def rows() -> dict[str, list[str]]:
    """Return {table: its rows as text, sorted}; no table is left out, not even that of sessions."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found[table] = sorted(map(repr, cursor.fetchall()))
    return found


def changed(before: dict[str, list[str]]) -> dict[str, tuple[list[str], list[str]]]:
    """Return {table: (rows that are gone, rows that came)} since `before`."""
    return {
        table: (sorted(set(before[table]) - set(now)), sorted(set(now) - set(before[table])))
        for table, now in rows().items()
        if now != before[table]
    }
