"""Objects that spell themselves as the Python that makes them, and are read back from it: no pickle, no registry."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Mapping
from typing import Any, Self

from ._errors import ArtefactError


class Spelled:
    """Remembers its constructor's arguments; ``repr`` is the call that makes an equal, untrained object."""

    _spelling: inspect.BoundArguments

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" not in vars(cls):
            return
        plain = cls.__init__
        signature = inspect.signature(plain)

        @functools.wraps(plain)
        def remember(self: Spelled, *args: Any, **kwargs: Any) -> None:
            bound = signature.bind(self, *args, **kwargs)
            outermost = "_spelling" not in self.__dict__
            if outermost:
                self.__dict__["_spelling"] = bound
            plain(self, *args, **kwargs)

        cls.__init__ = remember  # type: ignore[method-assign,assignment]

    def again(self) -> Self:
        """An equal, untrained object."""
        bound = self.__dict__.get("_spelling")
        return type(self)(*bound.args[1:], **bound.kwargs) if bound else type(self)()

    def __repr__(self) -> str:
        bound = self.__dict__.get("_spelling")
        if bound is None:
            return f"{type(self).__name__}()"
        words = []
        for name, value in list(bound.arguments.items())[1:]:
            parameter = bound.signature.parameters[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                words += [repr(each) for each in value]
            elif value != parameter.default:
                bare = parameter.kind is parameter.POSITIONAL_ONLY or parameter.default is parameter.empty
                words.append(repr(value) if bare else f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(words)})"


def read(text: str, vocabulary: Mapping[str, Any]) -> Any:
    """The object a spelling makes, of the classes in ``vocabulary`` and literals alone; nothing else is ever run.

    >>> read("complex(1, imag=2)", {"complex": complex})
    (1+2j)

    Raises:
        ArtefactError: the text is no such call, or names a class that the vocabulary lacks.
    """

    def make(node: ast.expr) -> Any:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id not in vocabulary:
                raise ArtefactError(
                    f"{text!r} names {node.func.id}, which oplas does not know; if it is your own class, "
                    "pass the object when loading"
                )
            if not all(word.arg for word in node.keywords):
                raise ValueError("it unpacks a mapping")
            words = {str(word.arg): make(word.value) for word in node.keywords}
            return vocabulary[node.func.id](*map(make, node.args), **words)
        if isinstance(node, ast.List | ast.Tuple):
            made = [make(each) for each in node.elts]
            return made if isinstance(node, ast.List) else tuple(made)
        return ast.literal_eval(node)

    try:
        return make(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        fact = f"{text[:200]!r} cannot be read back ({error})"
        raise ArtefactError(f"{fact}; the card may be from another version; save it again") from error
