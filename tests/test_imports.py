"""Imports point one way, and what touches the world stands in one place each."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Each may import what stands further down, never what stands beside it.
LAYERS = [
    {"__main__"},
    {"verbs"},
    {"report"},
    {"runs"},
    {"models", "publish"},
    {"curation", "llm", "evaluation"},
    {"catalogue"},
    {"items", "settings", "stated", "draws", "files", "progress", "errors", "keys", "database", "checkpoints", "checks"}
    | {"migrations"},
]
BASE = LAYERS[-1]
SAYS = {"verbs", "report"}  # may also use figures: a finding is worded once, for pages and the command line
LIBRARY = sorted((ROOT / "pricer").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(), named(path)))


def imports(path: Path) -> Iterator[str]:
    """Full names of what a file imports, wherever in it: `from a import b` gives a.b."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}: import by full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def names_in(path: Path) -> set[str]:
    """Every name that a file uses, dotted ones also: `print`, `os.environ`."""
    return {ast.unparse(node) for node in nodes(path) if isinstance(node, ast.Name | ast.Attribute)}


def part_of(module: str) -> str | None:
    """The part of pricer that a module belongs to: "pricer.catalogue.scrub.REASONS" is in "catalogue"."""
    parts = module.split(".")
    return parts[1] if parts[0] == "pricer" and len(parts) > 1 else None


def part_of_file(path: Path) -> str:
    return path.relative_to(ROOT / "pricer").with_suffix("").parts[0]


def allowed(part: str) -> set[str]:
    if part == "figures":
        return {"figures"}
    level = next((level for level, layer in enumerate(LAYERS) if part in layer), None)
    assert level is not None, f"pricer.{part} has no place in LAYERS"
    said = {"figures"} if part in SAYS else set()
    return {part, "__version__"}.union(said, *LAYERS[level + 1 :], BASE if part in BASE else set())


@pytest.mark.parametrize("path", LIBRARY, ids=named)
def test_imports_of_the_library_point_down(path):
    part = part_of_file(path)
    if part != "__init__":
        wrong = {module for module in imports(path) if part_of(module) and part_of(module) not in allowed(part)}
        assert not wrong


@pytest.mark.parametrize("path", LIBRARY, ids=named)
def test_the_library_knows_no_page(path):
    assert not {module.split(".")[0] for module in imports(path)} & {"streamlit", "pages", "app", "tests"}


@pytest.mark.parametrize("path", LIBRARY, ids=named)
def test_only_the_command_line_prints(path):
    if part_of_file(path) == "__main__":
        return
    assert not names_in(path) & {"print", "sys.stdout", "sys.stderr"}


@pytest.mark.parametrize("path", LIBRARY + PAGES, ids=named)
def test_only_settings_reads_the_environment(path):
    if path == ROOT / "pricer" / "settings.py":
        return
    assert not {"os.environ", "os.getenv"} & (names_in(path) | set(imports(path)))


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_pages_import_their_shared_parts_by_full_name(path):
    assert not {"shared", "state", "cached", "widgets"} & {module.split(".")[0] for module in imports(path)}


def test_the_rule_itself_sees_a_wrong_import():
    assert "runs" not in allowed("curation")
    assert "models" not in allowed("publish")
    assert "catalogue" not in allowed("figures")
    assert part_of("pricer.runs.launch.launch") == "runs"
