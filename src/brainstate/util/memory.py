"""Freeing device memory."""

import gc

import jax

__all__ = ["clear_buffer_memory"]


def clear_buffer_memory(
    platform: str | None = None, array: bool = True, compilation: bool = False
) -> None:
    """Delete every live array of a backend, then collect garbage.

    Any later use of such an array, wherever it is held, raises RuntimeError. Meant for interactive
    work, between experiments.

    Args:
        platform: name of the backend, such as `"cpu"` or `"gpu"`; the default backend if None.
        array: delete the arrays.
        compilation: clear JAX's caches of compiled functions too.
    """
    if array:
        for live in jax.live_arrays(platform):
            live.delete()
    if compilation:
        jax.clear_caches()
    gc.collect()
