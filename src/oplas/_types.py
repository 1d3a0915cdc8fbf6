"""The words the library shares: codes, latents, and the frozen evidence that laws are judged on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

Data = Tensor
"""What an encoder reads, ``[batch, samples]``."""
Code = Tensor
"""What an encoder answers, y, ``[batch, dim]``."""
Latent = Tensor
"""Where the algebra happens, z, ``[batch, width]``."""


@dataclass(frozen=True)
class Trials:
    """Evidence of an action, already encoded: the parts before it, the whole after it.

    Shape:
        - before: ``[n, k, dim]`` codes of the parts, zeros where fewer than k sound
        - present: ``[n, k]`` bool, which of the parts sound
        - after: ``[n, dim]`` code of what the action made of them
        - theta: ``[n, k]`` the action's parameter (for Mix and Gain: dB)
        - song: ``[n]`` index into ``songs``
        - label: ``[n, k]`` index into ``labels``, -1 where absent
        - origin: ``[1, dim]`` code of silence
    """

    before: Tensor
    present: Tensor
    after: Tensor
    theta: Tensor
    song: Tensor
    label: Tensor
    origin: Tensor
    songs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.after)

    @property
    def count(self) -> Tensor:
        """How many parts each trial has, ``[n]``."""
        return self.present.sum(1)

    @property
    def fingerprint(self) -> str:
        """Hash of what the evidence says."""
        digest = hashlib.sha256(" ".join(self.songs).encode())
        for rows in (self.after, self.theta, self.song, self.present):
            digest.update(rows.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    @property
    def codes(self) -> Tensor:
        """Every code in the evidence, parts first, ``[m, dim]``."""
        return torch.cat([self.before[self.present], self.after])

    def pick(self, index: Tensor) -> Self:
        """The trials at ``index`` (integers or a bool mask)."""
        rows = {name: getattr(self, name)[index] for name in _ROWS}
        return replace(self, **rows)

    def to(self, *args: object) -> Self:
        """The same evidence on another device."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self) if isinstance(getattr(self, f.name), Tensor)}
        return replace(self, **{name: tensor.to(*args) for name, tensor in tensors.items()})


_ROWS = ("before", "present", "after", "theta", "song", "label")


def concatenate(trials: list[Trials]) -> Trials:
    """Evidence gathered in several goes from one dataset, as one; part widths and label lists may differ."""
    labels = tuple(sorted({name for each in trials for name in each.labels}))
    width = max(each.before.shape[1] for each in trials)
    widened = []
    for each in trials:
        index = torch.tensor([*(labels.index(name) for name in each.labels), -1])
        pad = (0, width - each.before.shape[1])
        widened.append(
            replace(
                each,
                before=nn.functional.pad(each.before, (0, 0, *pad)),
                present=nn.functional.pad(each.present, pad),
                theta=nn.functional.pad(each.theta, pad),
                label=nn.functional.pad(index[each.label], pad, value=-1),
            )
        )
    rows: dict[str, Any] = {name: torch.cat([getattr(each, name) for each in widened]) for name in _ROWS}
    return replace(trials[0], **rows, labels=labels)
