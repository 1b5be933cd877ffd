"""The event-driven product in C++, called through `jax.ffi` on the CPU."""
