r"""A space of piano rolls in which transposition and time shift are exact translations, with the way back to rolls.

A roll is first read for where it lies: :math:`p`, its mean pitch in whole semitones above E4, and :math:`t`, its first
sounding step. Both move with the music, :math:`p(T_sx)=p(x)+s`. Then the roll is moved to where they are zero and encoded, so that

.. math:: z(x) = \left(\tfrac{p}{12}, \tfrac{t}{16}, c\right), \qquad z(T_s x) = z(x) + s v,\quad v = (\tfrac1{12}, 0, 0)

holds for every roll and every move that loses no note, whatever the network that makes the content c has learned. To put things
into a canonical frame before they are encoded is an old device: Jaderberg et al. 2015, *Spatial Transformer Networks*,
https://arxiv.org/abs/1506.02025; Kaba et al. 2023, *Equivariance with Learned Canonicalization Functions*,
https://arxiv.org/abs/2211.06489. What a network learns of the same law by a loss alone stands in docs/factor.md.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ._errors import ArtefactError, DataError, ShapeError
from .networks.blocks import SIDE
from .networks.decoder import Decoder
from .networks.vit import ViT

WEIGHTS = Path(__file__).parent / "networks" / "rolls.safetensors"
OCTAVE, BAR = 12, 16


class RollSpace(nn.Module):
    """Rolls of 128 pitches by 128 steps (sixteenths) to latents, and back.

    Shape:
        - rolls: ``[n, 2, 128, 128]``, zeros and ones: where a note begins (0), where it sounds (1)
        - z: ``[n, dim]``: pitch in octaves, time in bars, then the content

    >>> space = RollSpace().eval()
    >>> roll = torch.zeros(1, 2, 128, 128)
    >>> roll[:, :, 60, 16:20] = 1
    >>> z = space.encode(roll)
    >>> torch.allclose(space.transpose(z, 3), space.encode(roll.roll(3, 2)))
    True
    """

    def __init__(self, encoder: nn.Module | None = None, decoder: nn.Module | None = None) -> None:
        super().__init__()
        self.encoder = ViT(depth=0) if encoder is None else encoder
        self.decoder = Decoder(depth=0) if decoder is None else decoder
        self.dim = 2 + int(self.encoder.dim)  # type: ignore[arg-type]
        self.card: dict[str, Any] = {}

    def forward(self, rolls: Tensor) -> Tensor:
        """Latents; gradients reach the encoder."""
        at = frame(rolls)
        return torch.cat([at / at.new_tensor([OCTAVE, BAR]), self.encoder(placed(rolls, -at))], 1)

    @torch.no_grad()
    def encode(self, rolls: Tensor, batch: int = 64) -> Tensor:
        """Latents ``[n, dim]`` of rolls. A silent roll lies at pitch 0, time 0.

        Raises:
            ShapeError: they are not ``[n, 2, 128, 128]``.
            DataError: they hold something other than zeros and ones.
        """
        if rolls.ndim != 4 or rolls.shape[1:] != (2, SIDE, SIDE):
            raise ShapeError(f"rolls are [n, 2, {SIDE}, {SIDE}] (onset and sustain, pitch, step); this is {list(rolls.shape)}")
        if not bool(((rolls == 0) | (rolls == 1)).all()):
            raise DataError("a roll's cells are 0 or 1; these hold other numbers: make rolls with oplas.data.pianoroll")
        return torch.cat([self(part) for part in rolls.float().split(batch)]) if len(rolls) else rolls.new_zeros(0, self.dim)

    @torch.no_grad()
    def decode(self, z: Tensor, batch: int = 64) -> Tensor:
        """Rolls ``[n, 2, 128, 128]`` of latents, put where their first two coordinates say, to the nearest semitone and step.

        Raises:
            ShapeError: they are not ``[n, dim]``.
            DataError: they hold NaN or infinity, or notes would come to lie outside the roll.
        """
        if z.ndim != 2 or z.shape[1] != self.dim:
            raise ShapeError(f"latents of this space are [n, {self.dim}]; this is {list(z.shape)}")
        if not torch.isfinite(z).all():
            raise DataError("latents hold NaN or infinity; look at what they were computed from")
        return torch.cat([self._decode(part) for part in z.split(batch)]) if len(z) else z.new_zeros(0, 2, SIDE, SIDE)

    def _decode(self, z: Tensor) -> Tensor:
        rolls = (self.decoder(z[:, 2:]) > 0).float()
        rolls[:, 1] = rolls.amax(1)  # what begins sounds
        at = (z[:, :2] * z.new_tensor([OCTAVE, BAR])).round().long()
        for axis, name, unit in ((2, "pitches", "transposed by less"), (3, "steps", "shifted by less")):
            on = rolls.amax((1, 5 - axis))
            place = torch.arange(SIDE, device=z.device) + at[:, axis - 2 : axis - 1]
            heard = place[on > 0]
            if len(heard) and (int(heard.min()) < 0 or int(heard.max()) >= SIDE):
                raise DataError(
                    f"notes would come to lie at {name} {int(heard.min())} to {int(heard.max())}, outside 0 to {SIDE - 1}; "
                    f"latents can be {unit}"
                )
        return placed(rolls, at)

    def transpose(self, z: Tensor, semitones: Tensor | float) -> Tensor:
        """z + s v: so many semitones higher, one number for all or one each ``[n]``."""
        return self._moved(z, 0, semitones, OCTAVE)

    def shift(self, z: Tensor, steps: Tensor | float) -> Tensor:
        """z + s v: so many steps (sixteenths) later, one number for all or one each ``[n]``."""
        return self._moved(z, 1, steps, BAR)

    def _moved(self, z: Tensor, axis: int, far: Tensor | float, unit: int) -> Tensor:
        moved = z.clone()
        moved[:, axis] += torch.as_tensor(far, dtype=z.dtype, device=z.device) / unit
        return moved

    def save(self, path: str | os.PathLike[str] = WEIGHTS, **card: Any) -> Path:
        """Write the weights as float16 safetensors, and what is told of them beside as JSON."""
        from safetensors.torch import save as dump

        target = Path(path)
        written = ((target, dump({name: each.half().contiguous() for name, each in sorted(self.state_dict().items())})),
                   (target.with_suffix(".json"), (json.dumps(card, indent=1) + "\n").encode()))  # fmt: skip
        for file, content in written:
            beside = file.with_name(f".{file.name}.part")
            beside.write_bytes(content)
            os.replace(beside, file)
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str] = WEIGHTS) -> RollSpace:
        """The space shipped inside the package, or one saved elsewhere; frozen.

        Raises:
            ArtefactError: the weights are missing, damaged, or of another version.
        """
        from safetensors.torch import load as read

        space = cls()
        try:
            state = {name: each.float() for name, each in read(Path(path).read_bytes()).items()}
            space.load_state_dict(state)
            space.card = json.loads(Path(path).with_suffix(".json").read_text())
        except Exception as error:  # safetensors, torch and json each raise their own
            raise ArtefactError(f"{path} cannot be read as a space of rolls ({error}); install oplas again") from error
        return space.eval().requires_grad_(False)


def frame(rolls: Tensor) -> Tensor:
    """Where rolls lie, ``[n, 2]`` whole numbers: mean pitch of what sounds, counted from 64, and the first sounding step.

    Where a roll moved there would lose its highest or lowest note, the pitch gives way: it still moves with the roll.
    """
    sounds = rolls.amax(1).double()
    weight, row = sounds.sum(2), torch.arange(SIDE, device=rolls.device)
    total = weight.sum(1)
    mean = torch.floor((weight * row).sum(1) / total.clamp_min(1) + 0.5) - SIDE // 2
    low = torch.where(weight > 0, row, SIDE).amin(1).double()
    high = torch.where(weight > 0, row, -1).amax(1).double() - (SIDE - 1)
    first = torch.where(sounds.amax(1) > 0, row, SIDE).amin(1).double()
    at = torch.stack([mean.maximum(high).minimum(low), first], 1)
    return torch.where(total[:, None] > 0, at, 0.0).to(rolls.dtype)


def placed(rolls: Tensor, at: Tensor) -> Tensor:
    """Rolls moved by whole numbers ``at [n, 2]`` (semitones, steps), around the edges."""
    row = (torch.arange(SIDE, device=rolls.device) - at[:, 0].long()[:, None]) % SIDE
    step = (torch.arange(SIDE, device=rolls.device) - at[:, 1].long()[:, None]) % SIDE
    n = torch.arange(len(rolls), device=rolls.device)[:, None, None]
    return rolls.transpose(0, 1)[:, n, row[:, :, None], step[:, None, :]].transpose(0, 1)
