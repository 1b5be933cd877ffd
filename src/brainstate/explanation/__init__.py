"""`explain`: what a function does to States, and what it costs, without running it."""

from .explain import explain
from .result import Explanation, StateRow

__all__ = ["Explanation", "StateRow", "explain"]
