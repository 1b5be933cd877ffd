"""What a class takes part in, beside what it is."""

from __future__ import annotations

from typing import Any

from ..typing import PyTree


class Mixin:
    """Base of the behaviours in this room."""


class AlignPost(Mixin):
    """A synapse model that needs one set of variables for each postsynaptic group."""

    def align_post_input_add(self, *args: Any, **kwargs: Any) -> None:
        """Take in the spikes of one presynaptic group."""
        raise NotImplementedError(
            f"{type(self).__name__} must define align_post_input_add(). [BST-A14]"
        )


class UpdateReturn(Mixin):
    """A model that can tell what `update` returns without running it."""

    def update_return(self) -> PyTree:
        """The current value of what `update` returns."""
        raise NotImplementedError(f"{type(self).__name__} must define update_return(). [BST-A14]")

    def update_return_info(self) -> PyTree:
        """Shapes and types of what `update` returns."""
        raise NotImplementedError(
            f"{type(self).__name__} must define update_return_info(). [BST-A14]"
        )
