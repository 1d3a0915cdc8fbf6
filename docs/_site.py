"""What the documentation's build adds: a reference page for every unit, and equations as MathML (no script, no network)."""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path
from typing import Any

import griffe
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SOURCE = Path(__file__).resolve().parents[1] / "src" / "oplas"
#: ``.. math::`` with its formula on the same line, or indented below it up to a blank line.
_DISPLAY = re.compile(r"(?m)^( *)\.\. math::[ ]*\n?\n?((?:.*\S.*(?:\n|\Z))+)")
_MATH = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def units() -> dict[str, list[str]]:
    """Public units of the package and their modules, as dotted names."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = list(path.relative_to(SOURCE).with_suffix("").parts)
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts and not any(part.startswith("_") for part in parts):
            found.setdefault(parts[0], []).append(".".join(["oplas", *parts]))
    return {name: modules[1:] or modules for name, modules in found.items()}  # a package only gathers its modules' names


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Append the reference to the navigation."""
    pages = [{name: f"reference/{name}.md"} for name in units()]
    config.nav = [*config.nav, {"Reference": pages}] if config.nav and pages else config.nav
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """One generated page a unit."""
    for name, modules in units().items():
        body = "\n\n".join(f"::: {module}" for module in modules)
        files.append(File.generated(config, f"reference/{name}.md", content=f"# {name}\n\n{body}\n"))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """``{{ src/oplas/FILE.py }}`` becomes that module's docstring: a rule is written once, beside the code that applies it."""

    def quote(match: re.Match[str]) -> str:
        text = ast.get_docstring(ast.parse((SOURCE.parents[1] / match[1]).read_text(encoding="utf-8"))) or ""
        return markup(text)

    return re.sub(r"(?m)^\{\{ (src/oplas/\S+\.py) \}\}$", quote, markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Equations become MathML, which browsers draw by themselves."""

    def draw(match: re.Match[str]) -> str:
        return convert(html.unescape(match[2]), display="block" if match[1] == "div" else "inline")

    return _MATH.sub(draw, content)


class Roles(griffe.Extension):
    """Docstrings keep the notation that Python's ``help`` readers know; here it becomes Markdown."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite math, cross-reference and literal markup of one docstring."""
        if obj.docstring is None:
            return
        obj.docstring.value = markup(obj.docstring.value)


def markup(text: str) -> str:
    """Docstring notation as Markdown."""
    text = re.sub(r":math:`([^`]+)`", lambda match: f"\\({match[1]}\\)", text)
    text = _DISPLAY.sub(lambda match: f"{match[1]}\\[{' '.join(match[2].split())}\\]\n", text)
    text = re.sub(r":(?:class|meth|func|mod|attr|data|obj):`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")
