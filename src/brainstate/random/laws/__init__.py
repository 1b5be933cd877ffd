"""Laws that `jax.random` lacks, or has in another form, as pure functions.

They are called as ``law(key, *parameters, shape=shape, dtype=dtype)``; the caller casts the sample.
"""
