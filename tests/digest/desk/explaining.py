"""What statements touch: each carried out once under EXPLAIN ANALYZE, then in earnest."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a plan's nodes."""
    yield node
    for below in node.get("Plans", []):
        yield from nodes(below)


def rows_of(node: dict[str, Any]) -> float:
    """Return how many rows `node` took up, those that it threw away with them."""
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    rows: float = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return rows


@contextmanager
def counted() -> Iterator[dict[str, float]]:
    """Count what each statement touches of the deliveries."""
    touched: dict[str, float] = {}

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and '"digest_delivery"' in sql.replace(" digest_delivery ", '"digest_delivery"'):
            with transaction.atomic(), connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {sql}", params)
                plan = cursor.fetchone()[0]
                transaction.set_rollback(True)
            told = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
            scans = (node for node in nodes(told) if "Scan" in node["Node Type"])
            touched[sql] = sum(
                rows_of(node) for node in scans if node.get("Relation Name") == "digest_delivery"
            )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield touched
