"""Small encoders of scikit-learn's handwritten digits: five of 64 numbers to stitch classifiers on, three auto-encoders of 24."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from oplas._download import cache_folder

#: Images that encoders, decoders and anchors may be learned from; the other 497 are held out.
TRAIN = 1300


@dataclass(frozen=True)
class Digits:
    """8 x 8 images in [0, 1], flattened, and their classes; a fixed shuffle, so that every run holds out the same."""

    train: Tensor
    train_label: np.ndarray
    test: Tensor
    test_label: np.ndarray


@dataclass(frozen=True)
class AutoEncoder:
    """Latents of 24 numbers and the decoder that turns them into images."""

    train: np.ndarray
    test: np.ndarray
    decode: Callable[[np.ndarray], np.ndarray]


def digits() -> Digits:
    """The data set that ships with scikit-learn: 1797 images."""
    from sklearn.datasets import load_digits

    image, label = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(image))
    image, label = torch.from_numpy(image[order] / 16.0).float(), label[order]
    return Digits(image[:TRAIN], label[:TRAIN], image[TRAIN:], label[TRAIN:])


def classifiers(data: Digits, seed: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Five ways to 64 numbers, ``{name: (train, test)}``: two classifiers, an auto-encoder, random features, the pixels."""
    torch.manual_seed(seed)
    conv = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 64), nn.ReLU(),
    )  # fmt: skip
    mlp = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
    auto = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 64))
    for network in (conv, mlp):
        _classify(network, data)
    _reconstruct(auto, _decoder(64), data)
    chance = nn.Sequential(nn.Linear(64, 64), nn.ReLU()).requires_grad_(False)
    for weight in chance.parameters():
        weight *= 3.0  # as large as what the pixels give
    encoders = {"CNN": conv, "MLP": mlp, "auto-encoder": auto, "random": chance, "pixels": nn.Identity()}
    return {name: (_codes(network, data.train), _codes(network, data.test)) for name, network in encoders.items()}


def autoencoders(data: Digits, seed: int = 0, count: int = 3) -> list[AutoEncoder]:
    """Auto-encoders of one architecture and several seeds: the setting in which images are rebuilt by another's decoder."""
    made = []
    for index in range(count):
        torch.manual_seed(100 * seed + index)
        encoder, decoder = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, 24)), _decoder(24)
        _reconstruct(encoder, decoder, data, epochs=120)

        def decode(z: np.ndarray, decoder: nn.Module = decoder) -> np.ndarray:
            return _codes(decoder, torch.from_numpy(z).float())

        made.append(AutoEncoder(_codes(encoder, data.train), _codes(encoder, data.test), decode))
    return made


def _decoder(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, 128), nn.GELU(), nn.Linear(128, 64), nn.Sigmoid())


def _classify(network: nn.Module, data: Digits) -> None:
    head, label = nn.Linear(64, 10), torch.from_numpy(data.train_label)
    _train(
        nn.ModuleList([network, head]), len(label), 40, lambda rows: F.cross_entropy(head(network(data.train[rows])), label[rows])
    )


def _reconstruct(encoder: nn.Module, decoder: nn.Module, data: Digits, epochs: int = 60) -> None:
    def loss(rows: Tensor) -> Tensor:
        x = data.train[rows]
        return F.mse_loss(decoder(encoder(x)), x)

    _train(nn.ModuleList([encoder, decoder]), len(data.train), epochs, loss)


def _train(network: nn.Module, count: int, epochs: int, loss: Callable[[Tensor], Tensor]) -> None:
    """Train, or read what an earlier run of this very file trained from the same start."""
    start = b"".join(each.detach().numpy().tobytes() for each in network.parameters())
    key = hashlib.sha256(Path(__file__).read_bytes() + start).hexdigest()[:16]
    file = cache_folder() / "benchmarks" / "digits" / f"{key}.safetensors"
    if file.is_file():
        network.load_state_dict(load_file(file))
        return
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-3, fused=True)
    generator = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(count, generator=generator).split(64):
            optimiser.zero_grad()
            loss(rows).backward()
            optimiser.step()
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    save_file(network.state_dict(), beside)
    beside.replace(file)


@torch.no_grad()
def _codes(network: nn.Module, x: Tensor) -> np.ndarray:
    return network.eval()(x).double().numpy()
