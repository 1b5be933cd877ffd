"""Other simulators, each in an environment of its own under `.cache/benchmarks`."""

from __future__ import annotations

from _contenders import Contender, Environment, find_python

VERSION = (3, 13)  # what the newest releases of all peers run on


BRIAN = Environment("brian2", ("brian2==2.11.0", "setuptools<81"))
BRAINPY = Environment(
    "brainpy", ("brainpy==2.9.0", "brainstate==0.6.0", "brainevent==0.3.0", "numba")
)

SAME_SCHEME, USUAL_SCHEME = ("exponential_euler",), ("euler",)  # of conductances
BRIAN2 = Contender("Brian2, C++ standalone", "brian2_standalone.py", BRIAN.python, USUAL_SCHEME)
BRIAN2_SAME = Contender(
    "Brian2, C++ standalone, exponential Euler", BRIAN2.program, BRIAN.python, SAME_SCHEME
)
BRIAN2_CYTHON = Contender("Brian2, Cython", "brian2_cython.py", BRIAN.python, USUAL_SCHEME)
BRAINPY_STATE = Contender("BrainPy on BrainState 0.6", "brainpy_state.py", BRAINPY.python)


def peers(network: str) -> list[Contender]:
    """All peers for this network, installed; none where there is no Python that they need."""
    base = find_python(VERSION)
    if base is None:
        print(f"No peers: no working Python {'.'.join(map(str, VERSION))} was found.")
        return []
    for environment in (BRIAN, BRAINPY):
        environment.make(base)
    same = [BRIAN2_SAME] if network == "coba" else []  # CUBA is solved exactly by all
    return [BRIAN2, *same, BRIAN2_CYTHON, BRAINPY_STATE]
