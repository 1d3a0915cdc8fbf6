"""Guarantees of projectors: what claims an inverse has one, and carries a true addition to codes."""

import pytest
import torch
from fakes import bent
from torch import Generator, Tensor, nn

from oplas import Space
from oplas._errors import ArtefactError, ShapeError
from oplas.projectors import MLP, Coupling, Energies, Headed, Identity, Projector, build

DIM = 6
MEMBERS = [
    Identity(DIM), MLP(DIM, 4, hidden=16), Energies(DIM, 4, hidden=16, units=8), Coupling(DIM, layers=4, hidden=16), Coupling(5),
]  # fmt: skip
every = pytest.mark.parametrize("projector", MEMBERS, ids=map(repr, MEMBERS))


def codes(n: int = 40, dim: int = DIM, seed: int = 0) -> Tensor:
    return torch.asinh(3 * torch.randn(n, dim, generator=Generator().manual_seed(seed), dtype=torch.float64)) + 1


def jostled(projector: Projector, steps: int = 0, by: float = 0.1) -> Projector:
    """A float64 copy with other parameters: random ones near its own, then steps of training on no purpose."""
    torch.manual_seed(0)
    made = projector.again()
    made.load_state_dict(projector.state_dict())
    made.double()
    made.prepare(codes(200, made.dim))
    with torch.no_grad():
        for p in made.parameters():
            p.add_(by * torch.randn_like(p))
    if steps and list(made.parameters()):
        optimiser = torch.optim.AdamW(made.parameters(), lr=3e-3)
        for step in range(steps):
            y = codes(64, made.dim, seed=step)
            optimiser.zero_grad()
            (made(y)[:, 0] - y.square().sum(1)).square().mean().backward()
            nn.utils.clip_grad_norm_(made.parameters(), 1.0)
            optimiser.step()
    return made


@every
def test_shape_facts_and_batches(projector):
    made, y = jostled(projector), codes(9, projector.dim)
    assert made(y).shape == (9, made.width)
    assert torch.allclose(made(y), torch.cat([made(row[None]) for row in y]), atol=1e-9)
    assert torch.isfinite(made(y)).all()


@every
def test_gradients_are_those_of_the_map(projector):
    assert torch.autograd.gradcheck(jostled(projector), (codes(3, projector.dim).requires_grad_(),))


@every
def test_spelling_and_tensors_make_the_same_projector_again(projector):
    made, y = jostled(projector), codes(9, projector.dim)
    again = build(repr(made)).double()
    assert repr(again) == repr(projector) and type(again) is type(projector)
    again.load_state_dict(made.state_dict())
    assert torch.equal(again(y), made(y))


def test_a_spelling_that_is_no_projector_is_refused():
    for text in ("Linear(2, 3)", "dict()", "3", "MLP(2)"):
        with pytest.raises(ArtefactError):
            build(text)


@every
def test_head_is_the_last_step_and_every_option_can_be_taken(projector):
    made, y = jostled(projector), codes(9, projector.dim)
    if not isinstance(made, Headed):
        return
    assert torch.allclose(made(y), made.features(y) @ made.head, atol=1e-9)
    for take in made.options():
        take()
        assert torch.isfinite(made(y)).all()


@every
@pytest.mark.parametrize("steps", [0, 25])
def test_exact_inverse_is_exact(projector, steps):
    made, y = jostled(projector, steps), codes(60, projector.dim, seed=7)
    if not made.exact_inverse:
        with pytest.raises(ShapeError, match="no inverse"):
            made.invert(made(y))
        return
    assert (made.invert(made(y)) - y).abs().max() < 1e-9


def test_inverse_is_exact_at_every_option():
    made, y = Coupling(DIM).double(), codes(60, seed=7)
    made.prepare(codes(200))
    for take in made.options():
        take()
        assert (made.invert(made(y)) - y).abs().max() < 1e-8


@every
@pytest.mark.parametrize("size", [0.0, 1e3, 1e6])
def test_extreme_codes_stay_finite(projector, size):
    """Silence, a hundred times louder than anything heard, and nonsense: no infinity, no NaN, nor in the gradient."""
    made = jostled(projector).float()
    for sign in (-1, 1):
        y = torch.full((3, made.dim), sign * size, requires_grad=True)
        z = made(y)
        assert torch.isfinite(z).all()
        z.sum().backward()
        assert torch.isfinite(y.grad).all()


class TestAddition:
    """Through an invertible projector the encoder's own space becomes a vector space; in float64, to rounding."""

    @pytest.fixture(scope="class")
    def space(self) -> Space:
        space = Space(bent(DIM).double(), jostled(Coupling(DIM, layers=4, hidden=16), steps=25)).double()
        with torch.no_grad():
            space.frame.copy_(torch.eye(DIM) + 0.2 * torch.randn(DIM, DIM, generator=Generator().manual_seed(3)))
        return space

    @pytest.fixture(scope="class")
    def three(self) -> tuple[Tensor, ...]:
        return tuple(codes(60).split(20))

    def test_commutes(self, space, three):
        a, b, _ = three
        assert torch.allclose(space.add(a, b), space.add(b, a), atol=1e-9)

    def test_associates(self, space, three):
        a, b, c = three
        assert torch.allclose(space.add(space.add(a, b), c), space.add(a, space.add(b, c)), atol=1e-7)

    def test_silence_is_zero(self, space, three):
        a, *_ = three
        assert torch.allclose(space.add(a, space.origin.expand_as(a)), a, atol=1e-8)
        assert torch.allclose(space.scale(0.0, a), space.origin.expand_as(a), atol=1e-8)

    def test_everything_has_a_negative(self, space, three):
        a, *_ = three
        assert torch.allclose(space.add(a, space.scale(-1.0, a)), space.origin.expand_as(a), atol=1e-7)

    def test_scalars(self, space, three):
        a, b, _ = three
        assert torch.allclose(space.scale(1.0, a), a, atol=1e-8)
        assert torch.allclose(space.scale(1.5, space.scale(2.0, a)), space.scale(3.0, a), atol=1e-7)
        assert torch.allclose(space.add(space.scale(2.0, a), space.scale(0.5, a)), space.scale(2.5, a), atol=1e-7)
        assert torch.allclose(space.scale(2.0, space.add(a, b)), space.add(space.scale(2.0, a), space.scale(2.0, b)), atol=1e-7)

    def test_way_there_and_back(self, space, three):
        a, *_ = three
        assert torch.allclose(space.lift(space.project(a)), a, atol=1e-8)


def test_coupling_of_sound_survives_silence():
    """Silence lies far below anything heard in dB; the sum through it must still be a sum, in single precision."""
    heard = -40 + 15 * torch.randn(400, 12, generator=Generator().manual_seed(0), dtype=torch.float64)
    made = Coupling(12).double()
    made.prepare(heard)
    silence = torch.full((1, 12), -100.0, dtype=torch.float64)
    z, zero = made(heard), made(silence)
    back = made.invert((z - zero) + zero)
    assert (back - heard).abs().max() < 1e-6, f"f(silence) lies at {zero.abs().max():.1e}: what is heard is lost to rounding"


def test_energies_do_not_explode_beyond_what_they_were_prepared_on():
    made = Energies(DIM, 4, hidden=16, units=8)
    made.prepare(codes(100).float())
    for take in made.options():
        take()
        loud, louder = (made(codes(100).float().amax(0)[None] * x).abs().max() for x in (1.0, 10.0))
        assert louder < 1e3 * loud.clamp_min(1)
