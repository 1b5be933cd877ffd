"""Objects described now and built later, where the missing arguments are known."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from .markers import Mixin

T = TypeVar("T")


class _Described(type):
    """The class of `ParamDescriber[T]`, which serves `isinstance` only."""

    described: type

    def __instancecheck__(cls, obj: Any) -> bool:
        return isinstance(obj, ParamDescriber) and issubclass(obj.cls, cls.described)


class ParamDescriber(Generic[T]):
    """A class and some of the arguments for it; a call gives the rest and builds the object.

    ``isinstance(d, ParamDescriber[Linear])`` tells whether `d` describes a Linear.

    >>> import brainstate
    >>> layer = brainstate.nn.Linear.desc(out_size=3)
    >>> layer(in_size=2).weight.value["weight"].shape
    (2, 3)
    """

    def __init__(self, cls: type[T], *args: Any, **kwargs: Any):
        self.cls, self.args, self.kwargs = cls, args, kwargs

    def __init_subclass__(cls, **kwargs: Any) -> None:
        raise TypeError(
            "ParamDescriber cannot be subclassed; describe a class by `Class.desc()`. [BST-A15]"
        )

    def __class_getitem__(cls, described: Any) -> Any:
        name = f"ParamDescriber[{getattr(described, '__name__', described)}]"
        return _Described(name, (), {"described": described})

    def __call__(self, *args: Any, **kwargs: Any) -> T:
        return self.cls(*self.args, *args, **{**self.kwargs, **kwargs})

    init = __call__

    @property
    def identifier(self) -> tuple:
        """Equal for descriptions of the same class with equal arguments."""
        return self.cls, self.args, tuple(sorted(self.kwargs.items()))

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwargs.items())]
        return f"{self.cls.__name__}.desc({', '.join(given)})"


class ParamDesc(Mixin):
    """Gives a class the class method `desc`."""

    non_hashable_params: tuple[str, ...] | None = None

    @classmethod
    def desc(cls, *args: Any, **kwargs: Any) -> ParamDescriber:
        """Describe an object of this class, to be built later."""
        return ParamDescriber(cls, *args, **kwargs)
