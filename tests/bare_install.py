"""Proves that the wheel works with the core dependencies only: ``python tests/bare_install.py`` (about a minute).

Builds the wheel, installs it (not editable) into an empty environment, and from outside the repository asks three
things of it: ``import oplas`` loads no audio, plotting or web package; the extras are truly absent; the command and
the shipped encoder answer.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = (
    "transformers",
    "onnxruntime",
    "lancedb",
    "pyarrow",
    "fastapi",
    "ray",
    "openTSNE",
    "scipy",
    "sklearn",
    "librosa",
    "pytest",
)

PROBE = f"""
import importlib.util, sys
absent = {EXTRAS!r}
installed = [name for name in absent if importlib.util.find_spec(name)]
assert not installed, f"the bare environment holds {{installed}}: the core drags in more than it says"
import oplas
assert "site-packages" in oplas.__file__, oplas.__file__
loaded = {{name.partition(".")[0] for name in sys.modules}}
heavy = loaded & {{"soundfile", "soxr", "symusic", "matplotlib", "typer", "click", "PIL", "requests", "starlette"}}
assert not heavy, f"import oplas loads {{sorted(heavy)}}"
import torch
encoder = oplas.encoders.mini()
code = encoder.encode(torch.zeros(1, encoder.samples))
assert code.shape == (1, encoder.dim)
print(f"oplas imports with {{len(loaded)}} top-level modules; {{encoder.name}} answers {{tuple(code.shape)}}")
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="oplas-bare-") as scratch:
        home = Path(scratch)
        venv.create(home / "env", with_pip=True)
        python = home / "env" / "bin" / "python"
        extra = shlex.split(os.environ.get("PIP_ARGS", ""))
        pip = [python, "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check", "-c", ROOT / "constraints.txt"]
        subprocess.run([*pip, *extra, ROOT], check=True)
        outside = {**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([python, "-c", PROBE], check=True, cwd=home, env=outside)
        answer = subprocess.run([home / "env" / "bin" / "oplas", "--help"], cwd=home, env=outside, capture_output=True, text=True)
        if answer.returncode or "certify" not in answer.stdout:
            sys.exit(f"oplas --help exits {answer.returncode} and prints:\n{answer.stdout}{answer.stderr}")
    print("bare install: import, encoder and command work with the core dependencies only")


if __name__ == "__main__":
    main()
