"""All of `augment` and `compile` under one name, as in later BrainState releases."""

from . import augment, compile
from .augment import *  # noqa: F403
from .compile import *  # noqa: F403

__all__ = augment.__all__ + compile.__all__
