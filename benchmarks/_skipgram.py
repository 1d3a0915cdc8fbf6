"""Words of music, and vectors for them from the company they keep: skip-gram with negative sampling, trained on POP909 here.

The objective of word2vec (Mikolov et al. 2013, https://arxiv.org/abs/1310.4546) in its expectation over all pairs, as Levy and
Goldberg 2014 write it, minimised by Adam over the whole table of co-occurrences: no sampling, the same vectors for the same seed.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from oplas.data.pop909 import NAMES, PITCH_CLASS, Song


def chords(song: Song) -> list[str]:
    """The song's chords as root:quality, in order, repeats once; roots spelled one way, inversions and missing chords dropped."""
    found: list[str] = []
    for _, _, text in song.chords:
        root, _, quality = text.partition(":")
        if not quality:
            continue
        pitch = (PITCH_CLASS[root[0]] + root.count("#") - root[1:].count("b")) % 12
        word = f"{NAMES[pitch]}:{quality.split('/')[0]}"
        if not found or found[-1] != word:
            found.append(word)
    return found


def slices(song: Song) -> list[int]:
    """Which pitch classes sound in each beat, as bits; a repeat counts once."""
    roll = song.notes.roll(4).any(0)
    classes = torch.zeros(len(roll), 12, dtype=torch.long)
    classes.index_add_(1, torch.arange(128) % 12, roll.long())
    beats = classes[: len(roll) // 4 * 4].unflatten(0, (-1, 4)).sum(1)
    held = (beats >= 2).long()  # what passes in a sixteenth is no harmony
    words = (held * 2 ** torch.arange(12)).sum(1).tolist()
    return [word for index, word in enumerate(words) if word and (index == 0 or words[index - 1] != word)]


def triad(root: int, minor: bool = False) -> int:
    """A triad as :func:`slices` writes it."""
    return sum(1 << (root + step) % 12 for step in (0, 3 if minor else 4, 7))


def embed(texts: list[list], *, dim: int = 24, window: int = 2, negatives: int = 5, least: int = 10, most: int = 400,
          steps: int = 400, seed: int = 0) -> dict:  # fmt: skip
    """A vector for each word heard at least ``least`` times, at most the ``most`` commonest."""
    count = Counter(word for text in texts for word in text)
    words = [word for word, times in count.most_common(most) if times >= least]
    index = {word: place for place, word in enumerate(words)}
    pairs = torch.zeros(len(words), len(words))
    for text in texts:
        places = torch.tensor([index.get(word, -1) for word in text])
        for step in range(1, window + 1):
            a, b = places[:-step], places[step:]
            both = (a >= 0) & (b >= 0)
            pairs.index_put_((a[both], b[both]), torch.ones(int(both.sum())), accumulate=True)
    pairs = pairs + pairs.T
    often = pairs.sum(1)
    chance = negatives * often[:, None] * often / often.sum()
    generator = torch.Generator().manual_seed(seed)
    word, context = (torch.randn(len(words), dim, generator=generator).mul_(0.1).requires_grad_() for _ in range(2))
    optimiser = torch.optim.Adam([word, context], lr=0.03)
    softplus = torch.nn.functional.softplus
    for _ in range(steps):
        optimiser.zero_grad()
        score = word @ context.T
        (pairs * softplus(-score) + chance * softplus(score)).sum().div(pairs.sum()).backward()
        optimiser.step()
    return dict(zip(words, word.detach(), strict=True))


def ring_of(vectors: dict, words: list) -> Tensor:
    """The twelve words' vectors at unit length, ``[12, d]``.

    Raises:
        KeyError: one of them was not common enough to have a vector.
    """
    return torch.nn.functional.normalize(torch.stack([vectors[word] for word in words]))
