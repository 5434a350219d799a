"""The house's laws 1, 2 and 5, kept by a walk over the syntax trees."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("digest", "subscribers")
#: Who may enqueue: tasks, views, commands, receivers and the admin. Operations never do.
ENQUEUERS = ("tasks", "views", "management", "receivers", "admin", "celery")
ENQUEUING = {"delay", "apply_async", "send_task"}

Law = Callable[[dict[str, ast.Module]], list[str]]


def modules(root: Path = ROOT) -> dict[str, ast.Module]:
    """Return {dotted name: tree} of every first-party module but migrations."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if "migrations" not in path.parts:
                parts = path.relative_to(root).with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(
                    path.read_text()
                )
    return found


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield (dotted name, line) of each first-party import in `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] in PACKAGES:
                yield name, node.lineno


def backward_imports(trees: dict[str, ast.Module]) -> list[str]:
    """Law 1: `digest` imports `subscribers`, never back."""
    return [
        f"{module}:{line} imports {name}"
        for module, tree in trees.items()
        if module.startswith("subscribers")
        for name, line in imported(tree)
        if name.startswith("digest")
    ]


def imports_inside_functions(trees: dict[str, ast.Module]) -> list[str]:
    """Law 1: no first-party import hides in a function."""
    return [
        f"{module}:{line} imports {name} inside {function.name}"
        for module, tree in trees.items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name, line in imported(function)
    ]


def cycle(trees: dict[str, ast.Module]) -> list[str]:
    """Laws 1 and 2: return the modules of one import cycle, or nothing."""
    graph = {
        module: {
            target
            for name, _line in imported(tree)
            if (target := _resolve(name, trees)) not in {None, module}
        }
        for module, tree in trees.items()
    }
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for target in sorted(graph[module]):
            if found := visit(target, [*path, module]):
                return found
        done.add(module)
        return []

    for module in sorted(graph):
        if found := visit(module, []):
            return found
    return []


def _resolve(name: str, trees: dict[str, ast.Module]) -> str | None:
    """Return the module that `import name` runs: itself, or the one it is a name of."""
    if name in trees:
        return name
    parent = name.rpartition(".")[0]
    return parent if parent in trees else None


def enqueuing_operations(trees: dict[str, ast.Module]) -> list[str]:
    """Law 5: only tasks, views, commands, receivers and the admin enqueue."""
    return [
        f"{module}:{node.lineno} calls .{node.func.attr}()"
        for module, tree in trees.items()
        if not any(part in ENQUEUERS for part in module.split("."))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ENQUEUING
    ]


LAWS = [backward_imports, imports_inside_functions, cycle, enqueuing_operations]


@pytest.mark.parametrize("law", LAWS)
def test_the_house_keeps_the_law(law: Law) -> None:
    assert law(modules()) == []


@pytest.mark.parametrize(
    ("law", "planted"),
    [
        (backward_imports, {"subscribers.mail": "from digest import editions"}),
        (imports_inside_functions, {"digest.a": "def f():\n    from subscribers import mail\n"}),
        (
            cycle,
            {
                "digest.a": "import digest.b",
                "digest.b": "from digest.c import x",
                "digest.c": "import digest.a",
            },
        ),
        (enqueuing_operations, {"digest.editions": "def f(task):\n    task.delay(1)\n"}),
    ],
)
def test_a_planted_breach_is_seen(law: Law, planted: dict[str, str]) -> None:
    assert law({name: ast.parse(source) for name, source in planted.items()})


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_outgrows_its_room(package: str) -> None:
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for path in (ROOT / package).rglob("*.py")
        if "migrations" not in path.parts
    }
    assert {name: size for name, size in sizes.items() if size > 300} == {}
