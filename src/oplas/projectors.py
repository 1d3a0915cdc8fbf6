"""Maps from an encoder's codes to latents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ._errors import ArtefactError, ShapeError
from ._spelled import Spelled, read


class Projector(Spelled, nn.Module, ABC):
    r"""A map :math:`h: [n, \text{dim}] \to [n, \text{width}]`."""

    dim: int
    width: int
    exact_inverse: bool = False
    """Whether :meth:`invert` undoes :meth:`forward` by construction."""

    @abstractmethod
    def forward(self, y: Tensor) -> Tensor: ...

    def prepare(self, source: Tensor, target: Tensor | None = None) -> None:
        """Take the scale of what will be mapped, ``[n, dim]``, and of what it is mapped to where that is known."""

    def invert(self, z: Tensor) -> Tensor:
        """The way back.

        Raises:
            ShapeError: this projector has none.
        """
        raise ShapeError(f"{self!r} has no inverse of its own; give the space one, such as inverse=MLP({self.width}, {self.dim})")


class Headed(Projector):
    r"""A projector that ends in a linear map: :math:`h(y) = A^\top\varphi(y)`, so that the last step can be solved for."""

    head: nn.Parameter
    """A, ``[features, width]``."""

    @abstractmethod
    def features(self, y: Tensor) -> Tensor:
        """What the head reads, ``[n, features]``."""

    def options(self) -> Iterator[Callable[[], object]]:
        """Settings a gradient would find slowly; each call takes one on."""
        yield from ()


class Identity(Projector):
    """The encoder's own space, each dimension in units of its standard deviation: a control."""

    exact_inverse = True

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = self.width = dim
        self.register_buffer("unit", torch.ones(dim))

    unit: Tensor

    def prepare(self, source: Tensor, target: Tensor | None = None) -> None:
        self.unit.copy_(source.std(0).clamp_min(1e-6))

    def forward(self, y: Tensor) -> Tensor:
        return y / self.unit

    def invert(self, z: Tensor) -> Tensor:
        return z * self.unit


class _Block(nn.Module):
    """Residual block, the identity at the start."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.norm, self.first, self.last = nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.last(F.gelu(self.first(self.norm(x))))


class MLP(Headed):
    r"""Residual MLP: :math:`z = A\,[\,\mathrm{blocks}(W\hat y),\ \hat y\,]` with :math:`\hat y` the standardised code."""

    def __init__(self, dim: int, width: int, hidden: int = 128, blocks: int = 2) -> None:
        super().__init__()
        self.dim, self.width = dim, width
        self.enter = nn.Linear(dim, hidden)
        self.blocks = nn.Sequential(*(_Block(hidden) for _ in range(blocks)))
        self._build(dim, hidden)
        for name, size, value in (("mean", dim, 0.0), ("unit", dim, 1.0), ("target_mean", width, 0.0), ("target_unit", width, 1.0)):
            self.register_buffer(name, torch.full((size,), value))
        self.head = nn.Parameter(torch.empty(self.features(torch.zeros(1, dim)).shape[1], width))
        nn.init.normal_(self.head, std=len(self.head) ** -0.5)

    mean: Tensor
    unit: Tensor
    target_mean: Tensor
    target_unit: Tensor

    def _build(self, dim: int, hidden: int) -> None:
        """More layers, where a kind of features needs them."""

    def prepare(self, source: Tensor, target: Tensor | None = None) -> None:
        self.mean.copy_(source.mean(0))
        self.unit.copy_(source.std(0).clamp_min(1e-6))
        if target is not None:
            self.target_mean.copy_(target.mean(0))
            self.target_unit.copy_(target.std(0).clamp_min(1e-6))

    def features(self, y: Tensor) -> Tensor:
        x = self._standard(y)
        return torch.cat([self.blocks(self.enter(x)), x], 1)

    def forward(self, y: Tensor) -> Tensor:
        return (self.features(y) @ self.head) * self.target_unit + self.target_mean

    def _standard(self, y: Tensor) -> Tensor:
        return (y - self.mean) / self.unit


class Energies(MLP):
    r"""Residual MLP that ends in energies, which add: :math:`z = A\,[\operatorname{softplus}(u)^2,\ e^{sy}]`.

    Encoders of sound answer in compressed units such as dB, while independent sounds add their energies. The convex units
    undo what the encoder compressed: :math:`u` is learned, and one steepness :math:`s` serves the code's own coordinates,
    in case it has them in dB (``own=False`` leaves those out, for codes whose coordinates mean
    nothing). Exponents are held to the range seen in :meth:`prepare`, so nothing explodes beyond it.
    """

    def __init__(self, dim: int, width: int, hidden: int = 256, units: int = 256, blocks: int = 2, *, own: bool = True) -> None:
        self.units, self.own = units, own
        super().__init__(dim, width, hidden, blocks)

    top: Tensor
    steepness: Tensor

    def _build(self, dim: int, hidden: int) -> None:
        self.energy, self.straight = nn.Linear(hidden, self.units), nn.Linear(dim, self.units, bias=False)
        self.register_buffer("steepness", torch.zeros(()))
        self.register_buffer("top", torch.ones(dim))

    def prepare(self, source: Tensor, target: Tensor | None = None) -> None:
        super().prepare(source, target)
        self.top.copy_(source.amax(0))

    def options(self) -> Iterator[Callable[[], object]]:
        if not self.own:
            return
        for steepness in torch.linspace(0.0, 2.0, 11).tolist():
            yield partial(self.steepness.fill_, steepness)

    def features(self, y: Tensor) -> Tensor:
        x = self._standard(y)
        u = self.straight(x) + self.energy(self.blocks(self.enter(x)))
        learned = F.softplus(2 * u).square()
        if not self.own:
            return learned
        # relative to the greatest seen, so that no unit grows far beyond 1 however steep
        own = torch.exp(self.steepness.exp() * ((y - self.top) / self.unit.mean()).clamp_max(1.0))
        return torch.cat([learned, own], 1)


class Coupling(Headed):
    r"""An invertible map of the code space onto itself, through which addition can be carried to codes.

    Affine coupling layers (Dinh et al. 2017, https://arxiv.org/abs/1605.08803) alternate with the elementwise bijection
    :math:`x\mapsto(\sinh(ax+b)-\sinh b)/(a\cosh b)` of the line, a > 0 and b learned: close to the identity for small a,
    an exponential for large b, as undoing a logarithm needs; far out it goes straight on. Then
    :math:`y\oplus w=g^{-1}(g(y)+g(w))` is an addition on the encoder's own space whose vector-space axioms hold by
    construction (Linearizer, Berman et al. 2025, https://arxiv.org/abs/2510.08570).
    """

    exact_inverse = True

    def __init__(self, dim: int, layers: int = 6, hidden: int = 128) -> None:
        super().__init__()
        self.dim = self.width = dim
        half = dim // 2
        sizes = [(half, dim - half) if i % 2 == 0 else (dim - half, half) for i in range(layers)]
        self.nets = nn.ModuleList(_coupler(given, 2 * moved, hidden) for given, moved in sizes)
        self.bend = nn.Parameter(torch.full((layers, dim), -4.0))
        self.lean = nn.Parameter(torch.zeros(layers, dim))
        self.head = nn.Parameter(torch.eye(dim))
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("unit", torch.ones(dim))

    mean: Tensor
    unit: Tensor

    def prepare(self, source: Tensor, target: Tensor | None = None) -> None:
        self.mean.copy_(source.mean(0))
        self.unit.copy_(source.std(0).clamp_min(1e-6))

    @torch.no_grad()
    def _bend(self, steepness: float, lean: float) -> None:
        a = steepness * self.unit / self.unit.mean()
        self.bend[-1].copy_(torch.log(torch.expm1(a)))
        self.lean[-1].fill_(lean)

    def options(self) -> Iterator[Callable[[], object]]:
        for steepness, lean in ((0.3, 0.0), *((s, 12.0) for s in (1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0))):
            yield partial(self._bend, steepness, lean)

    def features(self, y: Tensor) -> Tensor:
        x = (y - self.mean) / self.unit
        for i, net in enumerate(self.nets):
            given, moved = self._halves(x, i)
            scale, shift = _scale_shift(net(given))
            x = self._whole(given, moved * scale + shift, i)
            x = _bend(x, F.softplus(self.bend[i]), self.lean[i], self._reach(i))
        return x

    def forward(self, y: Tensor) -> Tensor:
        return self.features(y) @ self.head

    def invert(self, z: Tensor) -> Tensor:
        x = torch.linalg.solve(self.head.T, z.T).T
        for i in reversed(range(len(self.nets))):
            x = _unbend(x, F.softplus(self.bend[i]), self.lean[i], self._reach(i))
            given, moved = self._halves(x, i)
            scale, shift = _scale_shift(self.nets[i](given))
            x = self._whole(given, (moved - shift) / scale, i)
        return x * self.unit + self.mean

    def _reach(self, i: int) -> float:
        return 16.0 if i == len(self.nets) - 1 else 2.0

    def _halves(self, x: Tensor, i: int) -> tuple[Tensor, Tensor]:
        half = self.dim // 2
        low, high = x[:, :half], x[:, half:]
        return (low, high) if i % 2 == 0 else (high, low)

    def _whole(self, given: Tensor, moved: Tensor, i: int) -> Tensor:
        return torch.cat((given, moved) if i % 2 == 0 else (moved, given), 1)


def _bend(x: Tensor, a: Tensor, b: Tensor, reach: float) -> Tensor:
    """sinh(a x + b), zero at zero and of slope 1 there; straight on beyond ``a |x| = reach``, so that layers do not explode."""
    u = a * x
    t = u.clamp(-reach, reach)
    return (torch.sinh(t + b) - torch.sinh(b) + torch.cosh(t + b) * (u - t)) / (a * torch.cosh(b))


def _unbend(x: Tensor, a: Tensor, b: Tensor, reach: float) -> Tensor:
    v = x * a * torch.cosh(b) + torch.sinh(b)
    within = v.clamp(torch.sinh(b - reach), torch.sinh(b + reach))
    t = torch.asinh(within)
    return (t - b + (v - within) / torch.cosh(t)) / a


def _coupler(given: int, made: int, hidden: int) -> nn.Module:
    last = nn.Linear(hidden, made)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(given, hidden), nn.GELU(), nn.Linear(hidden, hidden), nn.GELU(), last)


def _scale_shift(made: Tensor) -> tuple[Tensor, Tensor]:
    raw, shift = made.chunk(2, 1)
    return torch.exp(torch.tanh(raw)), shift


def build(spelling: str) -> Projector:
    """The projector a card names, untrained."""
    made = read(spelling, {cls.__name__: cls for cls in (Identity, MLP, Energies, Coupling)})
    if not isinstance(made, Projector):
        raise ArtefactError(f"{spelling!r} is no projector; get a fresh copy")
    return made
