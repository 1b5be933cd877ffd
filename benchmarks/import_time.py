"""What `import brainstate` costs beyond `import jax`: time, memory and modules.

Each sample is a fresh process that takes the processor time of its own imports; the contenders
take turns. "Every room" also touches what `import brainstate` leaves for later, such as
`brainstate.nn`.

The first example of the tutorial is timed as a whole, from the start of a fresh process to its end,
by the wall clock: Python's own start, imports, compiling and the printed gradients.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from _timing import machine, median, publish, ratio, table

ROUNDS = 11

SCRIPT = """
import json, pathlib, resource, sys, time
start = time.process_time()
import jax
{imports}
seconds = time.process_time() - start
status = pathlib.Path("/proc/self/status")
if status.exists():
    kib = int(status.read_text().partition("VmRSS:")[2].split()[0])
else:
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds, kib / 1024, sorted(sys.modules)]))
"""

ALONE = "import jax"
CONTENDERS = {
    ALONE: "",
    "import jax, brainstate": "import brainstate",
    "every room": "import brainstate\nfor name in dir(brainstate): getattr(brainstate, name)",
}


EXAMPLES = {
    "plain JAX": """
import jax
import jax.numpy as jnp

weights = {
    "weight": jax.nn.initializers.he_normal()(jax.random.PRNGKey(42), (2, 3)),
    "bias": jnp.zeros(3),
}
x = jnp.ones((1, 2))
y = jnp.ones((1, 3))

def loss_fn(weights, x, y):
    return jnp.mean((y - (x @ weights["weight"] + weights["bias"])) ** 2)

grads = jax.grad(loss_fn)(weights, x, y)
print("Gradients:", grads)
""",
    "brainstate": """
import jax.numpy as jnp
import brainstate as bst

model = bst.nn.Linear(2, 3)
x = jnp.ones((1, 2))
y = jnp.ones((1, 3))

def loss_fn(x, y):
    return jnp.mean((y - model(x)) ** 2)

weights = model.states()
grads = bst.augment.grad(loss_fn, weights)(x, y)
print("Gradients:", grads)
""",
}


class Sample(NamedTuple):
    seconds: float
    mebibytes: float
    modules: list[str]


def sample(imports: str) -> Sample:
    """What one fresh process says."""
    return Sample(*json.loads(run(SCRIPT.format(imports=imports))))


def run(script: str) -> str:
    """What the script prints in a fresh process."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def first_example() -> list[list[str]]:
    """Wall seconds of whole processes."""
    times: dict[str, list[float]] = {name: [] for name in EXAMPLES}
    for turn in range(ROUNDS + 1):
        for name, script in EXAMPLES.items():
            start = time.perf_counter()
            if not run(script).startswith("Gradients:"):
                raise RuntimeError(f"The example in {name} printed no gradients.")
            if turn:  # the first one fills the caches of the disk
                times[name].append(time.perf_counter() - start)
    hand = times["plain JAX"]
    return [[name, median(own, 1.0, 2), ratio(own, hand)] for name, own in times.items()]


def row(name: str, own: list[Sample], alone: list[Sample]) -> list[str]:
    total = f"{statistics.median(s.seconds for s in own):.2f}"
    if name == ALONE:
        return [name, total, "", "", "", ""]
    pairs = list(zip(own, alone, strict=True))
    low, middle, high = statistics.quantiles((a.seconds - b.seconds for a, b in pairs), n=4)
    memory = statistics.median(a.mebibytes - b.mebibytes for a, b in pairs)
    new = [module.partition(".")[0] for module in {*own[0].modules} - {*alone[0].modules}]
    others = [package for package in new if package != "brainstate"]
    names = f"{len(others)} ({', '.join(sorted({*others}))})" if others else "0"
    own_count = str(len(new) - len(others))
    return [name, total, f"{middle:.3f} ({low:.3f}-{high:.3f})", f"{memory:.1f}", own_count, names]


def main() -> None:
    print(machine())
    samples: dict[str, list[Sample]] = {name: [] for name in CONTENDERS}
    for _ in range(ROUNDS):
        for name, imports in CONTENDERS.items():
            samples[name].append(sample(imports))
    rows = [row(name, own, samples[ALONE]) for name, own in samples.items()]
    header = ["process", "s", "beyond jax, s", "MiB", "modules of brainstate", "other modules"]
    table("Import", header, rows)
    table("First example of the tutorial", ["process", "s", "ratio"], first_example())
    publish()


if __name__ == "__main__":
    main()
