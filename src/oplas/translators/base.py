"""What every translator shares: scikit-learn's interface, arrays of either kind, checked pairs, one file."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from .. import _artefact
from .._errors import ArtefactError, DataError, OplasError, ShapeError
from .._spelled import read
from ..functional.pairs import PairStatistics
from .rows import Array, float64, like, pairs_of, refuse_sick


class Translator(ABC):
    """A map from rows of one space to rows of another, learned from pairs that mean the same (anchors).

    It keeps scikit-learn's habits (``clone``, ``Pipeline``, ``cross_val_score``) without importing it. What comes in as numpy
    goes out as numpy, torch as torch, in the same dtype and on the same device; inside all is float64. The constructor
    only stores its parameters; what :meth:`fit` learns is kept in attributes that end in ``_``.

    Subclasses write ``_fit``, ``_forward`` and, where there is a way back, ``_backward``.
    """

    minimum: ClassVar[int] = 3
    """Fewest anchors it can be fitted on."""

    n_features_in_: int
    n_features_out_: int

    def fit(self, X: Array, Y: Array) -> Self:
        """Learn from rows in correspondence, ``[n, d]`` and ``[n, e]``.

        Raises:
            ShapeError: no tables, or unequal numbers of rows.
            DataError: too few anchors, NaN or infinity, nothing that varies, or more repeats than distinct anchors.
        """
        x, y = pairs_of(X, Y, self.minimum)
        self.n_features_in_, self.n_features_out_ = x.shape[1], y.shape[1]
        with torch.no_grad():
            self._fit(x, y)
        return self

    def fit_statistics(self, statistics: PairStatistics) -> Self:
        """Learn from the statistics of pairs, which are gathered in constant memory.

        Raises:
            DataError: this translator (or its ``preprocess``) must see rows, or the pairs are too few or do not vary.
        """
        raise DataError(f"{self!r} must see rows; call fit(X, Y), or take a closed form such as Ridge()")

    def transform(self, X: Array) -> Array:
        """Rows of the source space, ``[n, d]``, as rows of the target space, ``[n, e]``.

        Raises:
            ShapeError: other dimensions than it was fitted on.
            DataError: NaN or infinity.
        """
        return self._through(X, "n_features_in_", self._forward)

    def inverse_transform(self, Y: Array) -> Array:
        """Rows of the target space, ``[n, e]``, back in the source space, ``[n, d]``.

        Raises:
            ShapeError, DataError: as :meth:`transform`; or this translator has no way back.
        """
        return self._through(Y, "n_features_out_", self._backward)

    def fit_transform(self, X: Array, Y: Array) -> Array:
        """:meth:`fit`, then :meth:`transform` of the same rows."""
        return self.fit(X, Y).transform(X)

    @torch.no_grad()
    def score(self, X: Array, Y: Array) -> float:
        r""":math:`R^2 = 1-\sum_i\|y_i-\hat y_i\|^2/\sum_i\|y_i-\bar y\|^2` over all dimensions together, on these rows."""
        x, y = pairs_of(X, Y, 2, distinct=False)
        missed = y - float64(self.transform(x))
        return float(1 - missed.square().sum() / (y - y.mean(0)).square().sum())

    @abstractmethod
    def _fit(self, x: Tensor, y: Tensor) -> None:
        """Learn from checked rows."""

    @abstractmethod
    def _forward(self, x: Tensor) -> Tensor:
        """Float64 rows there."""

    def _backward(self, y: Tensor) -> Tensor:
        """Float64 rows back."""
        raise DataError(f"{self!r} has no way back; fit one from Y to X")

    def _through(self, rows: Array, dims: str, go: Any) -> Array:
        given = getattr(self, dims, None)
        if given is None:
            raise OplasError(f"{self!r} has learned nothing yet; call fit(X, Y) first")
        x = float64(rows)
        if x.ndim != 2 or x.shape[1] != given:
            raise ShapeError(f"{self!r} was fitted on rows of {given} dimensions here; these have the shape {list(x.shape)}")
        refuse_sick(x, "these rows")
        return like(go(x), rows)

    # scikit-learn's protocol

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's parameters; ``deep`` adds those of parameters that have some, as ``name__theirs``."""
        found = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        for name, value in list(found.items()) if deep else ():
            if hasattr(value, "get_params") and not isinstance(value, type):
                found |= {f"{name}__{theirs}": each for theirs, each in value.get_params().items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Change parameters by name; what was learned stays as it is until the next ``fit``.

        Raises:
            OplasError: there is no such parameter.
        """
        for name, value in params.items():
            own, _, theirs = name.partition("__")
            if own not in inspect.signature(type(self)).parameters:
                raise OplasError(f"{self!r} has no parameter {own!r}; it has {', '.join(self.get_params(deep=False)) or 'none'}")
            if theirs:
                getattr(self, own).set_params(**{theirs: value})
            else:
                setattr(self, own, value)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=True), transformer_tags=TransformerTags())

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")

    def __repr__(self) -> str:
        words = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name)
            if value is not parameter.default and value != parameter.default:
                words.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(words)})"

    # one file

    def save(self, path: str | Path) -> Path:
        """Write parameters and what was learned as one safetensors file, whole or not at all; no pickle.

        Raises:
            OplasError: nothing was learned yet.
            ArtefactError: the disk refuses.
        """
        if not self.__sklearn_is_fitted__():
            raise OplasError(f"{self!r} has learned nothing yet; call fit(X, Y) before save")
        tensors, card = self._state()
        return _artefact.save_file(Path(path), tensors, card, kind="translator")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved translator: ``Translator.load`` any, ``Ridge.load`` that kind alone.

        Raises:
            ArtefactError: the file is missing, damaged, truncated or changed, or holds another kind.
        """
        tensors, card = _artefact.load_file(Path(path), kind="translator")
        made = _restored(tensors, card)
        if not isinstance(made, cls):
            raise ArtefactError(f"{path} holds {made!r}, no {cls.__name__}; use Translator.load")
        return made

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors: dict[str, Tensor] = {}
        parts, figures = {}, {}
        for name, value in vars(self).items():
            if name.startswith("_") or not name.endswith("_"):
                continue
            if isinstance(value, Tensor):
                tensors[name] = value
            elif isinstance(value, Translator):
                theirs, parts[name] = value._state()
                tensors |= {f"{name}.{key}": each for key, each in theirs.items()}
            else:
                figures[name] = value
        return tensors, {"spelling": repr(self), "figures": figures, "parts": parts}


def _restored(tensors: dict[str, Tensor], card: dict[str, Any]) -> Translator:
    made = read(card["spelling"], {each.__name__: each for each in _kinds(Translator)})
    if not isinstance(made, Translator):
        raise ArtefactError(f"{card['spelling']!r} is no translator; get a fresh copy")
    for name, value in card["figures"].items():
        setattr(made, name, value)
    for name, part in card["parts"].items():
        theirs = {key.removeprefix(f"{name}."): each for key, each in tensors.items() if key.startswith(f"{name}.")}
        setattr(made, name, _restored(theirs, part))
    for name, value in tensors.items():
        if "." not in name:
            setattr(made, name, value)
    return made


def _kinds(kind: Any) -> list[type[Translator]]:
    return [each for below in kind.__subclasses__() for each in (below, *_kinds(below))]
