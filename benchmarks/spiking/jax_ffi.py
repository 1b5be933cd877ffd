"""Contender: a scan by hand in JAX whose events pass a kernel in C++, `event_rows.cc`."""

from __future__ import annotations

import ctypes
import os

import jax
import numpy as np
from compilers import shared_library
from jax_scan import builder
from serve import serve

FLAGS = ("-std=c++20", "-O3", "-march=native", "-isystem", jax.ffi.include_dir())


def arrive(spikes: jax.Array, targets: jax.Array, weight: float, g: jax.Array) -> jax.Array:
    out = jax.ShapeDtypeStruct(g.shape, g.dtype)
    call = jax.ffi.ffi_call("arrive", out, input_output_aliases={2: 0})
    return call(spikes, targets, g, weight=np.float32(weight))


if __name__ == "__main__":
    os.environ["NPROC"] = "1"  # one thread, as all others
    library = ctypes.CDLL(str(shared_library("event_rows.cc", "g++", *FLAGS)))
    jax.ffi.register_ffi_target("arrive", jax.ffi.pycapsule(library.arrive), platform="cpu")
    serve(builder(arrive))
