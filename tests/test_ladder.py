"""Imports only go down: the ladder of docs/architecture.md, read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "oplas"

#: Lowest rung first. A module imports from lower rungs and from itself, never from a sibling on its own rung.
LADDER = (
    {"_errors"},
    {"_types", "_download", "_artefact", "_spelled", "_ranks", "_tables"},
    {"_told"},
    {"functional"},
    {"encoders", "projectors", "operators", "data", "translators", "networks", "separators", "codecs"},
    {"actions"},  # an action performs on scenes of data and has an encoder encode them
    {"laws"},
    {"space"},
    {"keys", "rollspace", "discover", "evidence", "certificate", "embed", "bridge", "_checkpoint", "_migrate", "_watch"},
    {"measure"},  # certificates draw on it, so it stands below them
    {"settle", "_paired", "store", "rolled"},  # the closed-form end of learning; the index that search stands on
    {
        "learn",
        "certify",
        "rings",
        "translate",
        "crossing",
        "cayley",
        "decompose",
        "algebra",
        "faders",
        "pretrain",
        "motifs",
        "through",
    },
    {"report"},
    {"mixing"},
    {"demo"},
    {"studio"},  # the command opens it
    {"__init__"},
    {"cli", "__main__"},
)
RUNG = {unit: rung for rung, units in enumerate(LADDER) for unit in units}
LONGEST = 300


def unit(path: Path, source: Path) -> str:
    """The file or folder directly under the package that ``path`` belongs to."""
    return path.relative_to(source).parts[0].removesuffix(".py")


def imported(path: Path, source: Path) -> Iterator[tuple[int, str]]:
    """Line and unit of every import of the package's own modules, inside functions and type-checking blocks too."""
    units = {each.name.removesuffix(".py") for each in source.iterdir()} - {"__init__"}
    package = ("oplas", *path.relative_to(source).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            modules = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for module in modules:
            if module[0] == "oplas" and module[-1] != "__version__":  # a constant is no climb
                target = module[1] if len(module) > 1 else "__init__"
                yield node.lineno, target if target in units else "__init__"


def climbs(source: Path) -> list[str]:
    """One line for each import that goes up or sideways, and for each unit that stands on no rung."""
    found = []
    for path in sorted(source.rglob("*.py")):
        home = unit(path, source)
        where = path.relative_to(source).as_posix()
        if home not in RUNG:
            found.append(f"{where}: {home} is on no rung; add it to LADDER and to docs/architecture.md")
            continue
        for line, target in imported(path, source):
            if target != home and RUNG.get(target, len(LADDER)) >= RUNG[home]:
                found.append(f"{where}:{line}: {home} imports {target}, which is not below it")
    return sorted(set(found))


def test_no_import_climbs() -> None:
    assert climbs(SOURCE) == []


def test_no_file_is_long() -> None:
    lengths = {path.relative_to(SOURCE).as_posix(): len(path.read_text().splitlines()) for path in SOURCE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize(
    ("file", "line", "verdict"),
    [
        ("laws/base.py", "from ..space import Space", "laws imports space"),
        ("encoders/audio.py", "from ..data.base import Slot", "encoders imports data"),
        ("encoders/audio.py", "from .. import data", "encoders imports data"),
        ("learn.py", "import oplas.certify", "learn imports certify"),
        ("learn.py", "from oplas.certify import certify", "learn imports certify"),
        ("learn.py", "def late():\n    from . import certify", "learn imports certify"),
        ("space.py", "import oplas", "space imports __init__"),
        ("space.py", "from . import Certificate", "space imports __init__"),
        ("loose.py", "", "loose is on no rung"),
        ("learn.py", "from .space import Space", None),
        ("laws/base.py", "from .spread import Spread\nfrom .. import _errors", None),
        ("space.py", "from . import __version__", None),
        ("cli.py", "import oplas\nfrom . import learn", None),
    ],
)
def test_the_check_can_fail(tmp_path: Path, file: str, line: str, verdict: str | None) -> None:
    for name in ("_errors.py", "space.py", "learn.py", "certify.py", "cli.py", "laws/spread.py", "data/base.py", file):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(line if name == file else "")
    found = climbs(tmp_path)
    assert found == [] if verdict is None else len(found) == 1
    assert verdict is None or verdict in found[0]
