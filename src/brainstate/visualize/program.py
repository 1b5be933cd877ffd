"""`program`: which States a function reads and writes, as a picture."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .._engine.labels import Labels
from .._engine.names import function_name
from ..compile.arguments import Arguments
from ..compile.stateful_function import trace_without_effects
from .program_parts import parts_of
from .program_svg import drawn


class ProgramDrawing:
    """A drawing in SVG: a notebook shows it, ``str(drawing)`` is its text, `save` writes a file."""

    def __init__(self, svg: str, title: str):
        self.svg, self.title = svg, title

    def __str__(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<drawing of {self.title}; .save('name.svg') writes it>"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the drawing to a file whose name ends in .svg, and return its path."""
        path = Path(path)
        if path.suffix != ".svg":
            raise ValueError(
                f"A program is drawn as SVG, in a file *.svg; found {str(path)!r}. [BST-A03]"
            )
        path.write_text(self.svg, encoding="utf-8")
        return path


def program(fun: Callable) -> Callable[..., ProgramDrawing]:
    """A function of example arguments that draws `fun`: its States, by node, and what it does.

    On the left stand the States that it only reads, on the right those that it writes or creates,
    each with shape, dtype and unit. `fun` is traced as by `jit`; no State changes.

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.nn.Linear(3, 2)
    >>> count = brainstate.State(0)
    >>> def step(x):
    ...     count.value += 1
    ...     return layer(x)
    >>> drawing = brainstate.visualize.program(step)(jnp.ones(3))
    >>> drawing
    <drawing of step; .save('name.svg') writes it>
    >>> "weight" in drawing.svg, count.value
    (True, 0)
    """
    if not callable(fun):
        raise TypeError(
            f"program() draws a function; found {fun!r}. Write program(f)(*args). [BST-A01]"
        )

    @functools.wraps(fun)
    def draw(*args: Any, **kwargs: Any) -> ProgramDrawing:
        traced = trace_without_effects(fun, Arguments(fun), args, kwargs)
        name = function_name(fun)
        parts = parts_of(name, traced, (*args, *kwargs.values()), Labels(fun, args, kwargs))
        return ProgramDrawing(drawn(parts), name)

    return draw
