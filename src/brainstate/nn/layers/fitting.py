"""Whether a model is being fitted, as layers with two ways of working ask."""

from __future__ import annotations

from ... import environ


def fitting() -> bool:
    """The setting `fit` of environ; KeyError if there is none."""
    return environ.get(
        environ.FIT, desc="True while a model is trained, False where it is evaluated or used"
    )
