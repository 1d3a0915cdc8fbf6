"""Zero-shot stitching of vision and text encoders: one model's embeddings, translated, in a classifier trained on another's.

    python examples/stitch_vision_text.py --cifar10 cifar-10-batches-bin --n24news N24News     (hours on a CPU)
    python examples/stitch_vision_text.py --quick                       (tiny random models and made-up news; says nothing)

The setting of Latent Space Translation via Semantic Alignment (Maiorca et al. 2023, https://arxiv.org/abs/2311.00664): every
ordered pair of encoders, linear SVM and MLP heads trained on the target alone, the paper's estimators beside oplas's own.
CIFAR-10 is its binary version (https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, unpacked); N24News (Wang et al. 2022,
https://github.com/billywzh717/N24News) a folder of .json files and images/. Models come from the Hugging Face hub: pip install
'oplas[hub]' scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC
from torch import Tensor

from oplas.translators import Auto, PaperAffine, PaperLinear, PaperLOrtho, PaperOrtho, Ridge, Translator

VISION = ("google/vit-base-patch16-224", "google/vit-base-patch16-384", "facebook/dinov2-small", "openai/clip-vit-base-patch32")
TEXT = ("bert-base-uncased", "bert-base-cased", "google/electra-base-discriminator", "roberta-base", "albert-base-v2")


@dataclass
class Items:
    """Things to classify, seen as an image, read as a text, or both; the last fifth is for testing."""

    name: str
    labels: np.ndarray
    images: Sequence[Any] = ()
    texts: Sequence[str] = ()
    views: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def train(self) -> int:
        return len(self.labels) - len(self.labels) // 5


def cifar10(folder: Path, count: int) -> Items:
    """A label byte and 3 x 32 x 32 bytes an image: training batches first, then the test batch."""
    parts = []
    for names, most in (([f"data_batch_{i}.bin" for i in range(1, 6)], count - count // 5), (["test_batch.bin"], count // 5)):
        rows = np.concatenate([np.fromfile(folder / name, np.uint8).reshape(-1, 3073) for name in names])
        parts.append(rows[:most])
    rows = np.concatenate(parts)
    return Items("CIFAR-10", rows[:, 0].astype(int), list(torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32) / 255.0).float()))


def n24news(folder: Path, count: int) -> Items:
    """Headline and abstract as text, the article's photograph as image, the section as class."""
    from PIL import Image

    articles = [article for file in sorted(folder.glob("*.json")) for article in json.loads(file.read_text())]
    photos = {path.stem: path for path in folder.rglob("*.jpg")}
    articles = [article for article in articles if str(article["image_id"]) in photos]
    articles = [articles[i] for i in np.random.default_rng(0).permutation(len(articles))[:count]]

    def load(path: Path) -> Tensor:
        image = Image.open(path).convert("RGB").resize((384, 384))
        return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1) / 255.0

    texts = [f"{article['headline']}. {article.get('abstract', '')}" for article in articles]
    labels = np.unique([article["section"] for article in articles], return_inverse=True)[1]
    return Items("N24News", labels, [load(photos[str(article["image_id"])]) for article in articles], texts)


def stand_in(count: int = 200) -> Iterator[Items]:
    """Five colours with a word each: as images alone, and as images with texts."""
    generator, label = np.random.default_rng(0), np.arange(count) % 5
    colour = torch.from_numpy(generator.random((5, 3, 1, 1)))[torch.from_numpy(label)].float()
    images = list(0.7 * colour + 0.3 * torch.from_numpy(generator.random((count, 3, 32, 32))).float())
    words = np.array(["arts", "books", "dance", "food", "science"])
    texts = [f"{words[each]} {words[each]} and {generator.choice(words)} news {index}" for index, each in enumerate(label)]
    yield Items("images", label, images)
    yield Items("images and texts", label, images, texts)


Encode = Callable[[Sequence[Any]], Tensor]


def vision(name: str) -> Encode:
    """A vision transformer of the hub: its first token's last state."""
    config = transformers.AutoConfig.from_pretrained(name)
    kind = transformers.CLIPVisionModel if config.model_type == "clip" else transformers.AutoModel
    model = kind.from_pretrained(name).eval()
    told = transformers.image_processing_base.ImageProcessingMixin.get_image_processor_dict(name)[0]
    return seeing(model, told.get("image_mean", [0.5] * 3), told.get("image_std", [0.5] * 3))


def seeing(model: Any, mean: Sequence[float], std: Sequence[float]) -> Encode:
    """Images resized and normalised as the model wants them."""
    size = model.config.image_size
    shift, unit = (torch.tensor(each).view(1, 3, 1, 1) for each in (mean, std))

    def encode(images: Sequence[Tensor]) -> Tensor:
        x = torch.nn.functional.interpolate(torch.stack(list(images)).float(), (size, size), mode="bicubic", antialias=True)
        return model(pixel_values=(x.clamp(0, 1) - shift) / unit).last_hidden_state[:, 0]

    return encode


def text(name: str) -> Encode:
    """A text transformer of the hub: its first token's last state."""
    words = transformers.AutoTokenizer.from_pretrained(name)
    return reading(
        transformers.AutoModel.from_pretrained(name).eval(),
        lambda texts: words(texts, padding=True, truncation=True, max_length=128, return_tensors="pt"),
    )


def reading(model: Any, words: Callable[[list[str]], Any]) -> Encode:
    """Texts as the model's own tokens."""
    return lambda texts: model(**words(list(texts))).last_hidden_state[:, 0]


def tiny() -> tuple[dict[str, Encode], dict[str, Encode]]:
    """Two vision and two text architectures of unlike widths, random: every line runs, and no figure means anything."""

    def hashed(texts: list[str]) -> dict[str, Tensor]:
        rows = [[zlib.crc32(word.encode()) % 997 + 1 for word in each.split()][:8] for each in texts]
        ids = torch.tensor([row + [0] * (8 - len(row)) for row in rows])
        return {"input_ids": ids, "attention_mask": (ids > 0).long()}

    torch.manual_seed(0)
    shape: dict[str, Any] = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    eyes = {
        f"ViT {width}": seeing(
            transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=8, hidden_size=width, **shape)).eval(),
            [0.5] * 3,
            [0.5] * 3,
        )
        for width in (32, 48)
    }
    readers = {
        f"BERT {width}": reading(
            transformers.BertModel(transformers.BertConfig(vocab_size=1000, hidden_size=width, **shape)).eval(), hashed
        )
        for width in (32, 40)
    }
    return eyes, readers


@torch.inference_mode()
def encoded(items: Items, eyes: dict[str, Encode], readers: dict[str, Encode]) -> None:
    """Every view of the items, a batch at a time."""
    for encoders, given in ((eyes, items.images), (readers, items.texts)):
        for name, encode in encoders.items() if len(given) else ():
            rows = [encode(given[at : at + 64]) for at in range(0, len(given), 64)]
            items.views[name] = torch.cat(rows).double().numpy()


def stitched(items: Items, anchors: int, seed: int = 0) -> list[dict[str, Any]]:
    """Accuracy of each target's heads on each source's translated test items; the target's own codes as the ceiling."""
    cut, rows = items.train, []
    chosen = np.random.default_rng(seed).permutation(cut)[:anchors]
    heads = {
        name: {
            "SVM": LinearSVC(C=0.1).fit(codes[:cut], items.labels[:cut]),
            "MLP": MLPClassifier((256,), early_stopping=True, random_state=seed).fit(codes[:cut], items.labels[:cut]),
        }
        for name, codes in items.views.items()
    }
    for a, b in permutations(items.views, 2):
        methods: list[Translator] = [PaperAffine(), PaperLinear(), PaperLOrtho(), PaperOrtho(), Ridge()]
        x, y = items.views[a], items.views[b]
        told = {"own codes": y[cut:]}
        methods.append(Auto([*methods[1:], Ridge(preprocess="standard")], by=_alike(heads[b]["SVM"])))
        for method in methods:
            told[type(method).__name__] = method.fit(x[chosen], y[chosen]).transform(x[cut:])
        for head, classifier in heads[b].items():
            accuracy = {name: round(float(classifier.score(codes, items.labels[cut:])), 4) for name, codes in told.items()}
            rows.append({"data": items.name, "source": a, "target": b, "head": head, **accuracy})
            print("  ".join(str(cell) for cell in rows[-1].values()))
    return rows


def _alike(head: Any) -> Callable[[np.ndarray, np.ndarray], float]:
    """How well a head's answers to translated codes match its answers to the true ones: no labels are needed."""
    return lambda told, true: -float(np.square(head.decision_function(told) - head.decision_function(true)).mean())


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cifar10", type=Path, help="folder of data_batch_1.bin and so on")
    arguments.add_argument("--n24news", type=Path, help="folder of .json files and images/")
    arguments.add_argument("--count", type=int, default=10_000, help="items of each data set")
    arguments.add_argument("--anchors", type=int, default=2000)
    arguments.add_argument("--quick", action="store_true", help="tiny random models on made-up data")
    given = arguments.parse_args()
    if not (given.quick or given.cifar10 or given.n24news):
        arguments.error("name the folder of --cifar10 or of --n24news, or pass --quick")
    warnings.filterwarnings("ignore", module="sklearn")
    if given.quick:
        sets, (eyes, readers) = list(stand_in()), tiny()
    else:
        sets = [cifar10(given.cifar10, given.count)] if given.cifar10 else []
        sets += [n24news(given.n24news, given.count)] if given.n24news else []
        eyes, readers = {name: vision(name) for name in VISION}, {name: text(name) for name in TEXT}
    rows = []
    for items in sets:
        encoded(items, eyes, readers)
        rows += stitched(items, min(given.anchors, items.train // 2) if given.quick else given.anchors)
    means = {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0] if isinstance(rows[0][key], float)}
    print(json.dumps({"data": "stand-in, random models" if given.quick else "downloaded", "pairs": len(rows), "accuracy": means}))


if __name__ == "__main__":
    main()
