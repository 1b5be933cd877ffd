"""Contender: the loop in C, `c_loop.c`, as one call from Python."""

from __future__ import annotations

import ctypes
import math

import numpy as np
from compilers import shared_library
from network import DT, FAN_OUT, Network, excitatory, targets
from serve import Simulation, serve

FLAGS = ("-O3", "-march=native", "-ffast-math")
INTEGERS = ("n", "n_exc", "fan_out", "rest", "conductances")
NUMBERS = ("dt", "tau", "V_rest", "V_th", "V_reset", "drive", "E_e", "E_i", "w_e", "w_i")
DECAYS = ("decay_e", "decay_i")


class Net(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in INTEGERS),
        *((name, ctypes.c_float) for name in (*NUMBERS, *DECAYS)),
    )


def build(network: Network, n: int, steps: int) -> Simulation:
    simulate = ctypes.CDLL(str(shared_library("c_loop.c", "gcc", *FLAGS, "-lm"))).simulate
    simulate.restype = ctypes.c_int64
    numbers = {"dt": DT, **{name: getattr(network, name) or 0.0 for name in NUMBERS[1:]}}
    net = Net(
        n, excitatory(n), FAN_OUT, network.steps_of_rest, network.conductances,
        **numbers, decay_e=math.exp(-DT / network.tau_e), decay_i=math.exp(-DT / network.tau_i),
    )  # fmt: skip
    rng = np.random.default_rng(1)
    arrays = (
        targets(n),
        rng.uniform(network.V_reset, network.V_th, n).astype(np.float32),
        *(np.zeros(n, np.float32) for _ in range(2)),  # conductances
        np.zeros(n, np.int32),  # steps of rest that are left
        np.zeros(-(-n // 8) * 8, np.uint8),  # spikes
    )
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]

    counted = []

    def chunk() -> None:
        assert arrays  # keeps them alive
        counted[:] = [simulate(ctypes.byref(net), ctypes.c_int64(steps), *pointers)]

    return Simulation(chunk, lambda: counted[0])


if __name__ == "__main__":
    serve(build)
