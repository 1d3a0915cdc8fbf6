"""``import oplas`` stays light, whatever else is installed."""

from __future__ import annotations

import json
import subprocess
import sys

#: Packages that only a function which needs them may import: audio, plotting, web, hubs, tables, commands.
HEAVY = {
    "click", "fastapi", "huggingface_hub", "lancedb", "lark", "librosa", "matplotlib", "mido", "onnxruntime", "openTSNE", "pandas",
    "PIL", "pyarrow", "ray", "requests", "scipy", "sklearn", "soundfile", "soxr", "starlette", "symusic", "tokenizers",
    "transformers", "typer", "uvicorn",
}  # fmt: skip


def test_importing_oplas_loads_no_audio_plotting_or_web_package() -> None:
    probe = "import json, sys, oplas; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    loaded = set(json.loads(subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout))
    assert "torch" in loaded
    assert loaded & HEAVY == set()
