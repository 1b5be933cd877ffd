"""The nervous system of a worm: 279 neurons wired as in C. elegans, touched at the tail.

Neurons do not spike. Potentials spread through gap junctions and, as sigmoids, through synapses:

    C dV_i/dt = -G_c (V_i - E_c) - sum_j G_ji (V_i - V_j) - sum_j S_ji s_j (V_i - E_j) + I_i
    ds_i/dt = a_r (1 - s_i) / (1 + exp(-b (V_i - T_i))) - a_d s_i

with thresholds T such that the network would be at rest, all sigmoids half open, under the current
that it gets. More and more current into the touch neurons PLM makes that rest unstable, by a Hopf
bifurcation: motor neurons oscillate, in two modes. (The touch neurons themselves, with no currents
but these equations, get to potentials that no cell would stand.)
J. Kunert, E. Shlizerman and J. N. Kutz (2014), Low-dimensional functionality of complex network
dynamics, Phys. Rev. E 89, 052805; wiring of L. R. Varshney et al. (2011), PLoS Comput. Biol. 7,
e1001066; neurons with GABA of S. L. McIntire et al. (1993), Nature 364, 337.
"""

import re
from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from connectome_data import read
from scipy.sparse import coo_array

import brainstate as bst
from brainstate import event, nn

OUT = Path("out")
MOTOR = re.compile(r"(AS|DA|DB|DD|VA|VB|VD)(\d+)")  # of the ventral cord
SHOWN = re.compile("DB[246]|VB[258]")
GABA = re.compile(r"(DD|VD)\d+|RME.*|AVL|DVB|RIS")

CONTACT, LEAK, CAPACITANCE = 0.1 * u.nS, 0.01 * u.nS, 1.0 * u.pF
REST, SLOPE = -35.0 * u.mV, 0.125 / u.mV
INHIBITION = -45.0  # mV; excitation reverses at 0 mV
RISE, DECAY = 1.0 * u.Hz, 5.0 * u.Hz
S_AT_REST = 1 / 11  # a_r / (a_r + 2 a_d): the sigmoid is half open
CURRENTS = np.linspace(0.5, 4.0, 8) * u.nA
DT, EVERY = 0.5 * u.ms, 20  # a step, and steps from one record to the next


class Connectome:
    """Names, and contacts as sparse matrices (before, behind); motor neurons stand last."""

    def __init__(self, edges):
        self.names = sorted({name for edge in edges for name in edge[:2]}, key=in_order)
        self.chemical = self.matrix(edges, "chemical")
        self.gap = self.matrix(edges, "gap")

    def matrix(self, edges, kind):
        ends = [(*map(self.names.index, names), n) for *names, k, n in edges if k == kind]
        pre, post, contacts = np.array(ends).T
        n = len(self.names)
        return coo_array((contacts.astype(float), (pre, post)), shape=(n, n)).tocsr()

    def named(self, pattern):
        """Whether the name of each neuron is of this pattern."""
        return np.array([re.fullmatch(pattern, name) is not None for name in self.names])


def in_order(name):
    motor = MOTOR.fullmatch(name)
    return (1, motor[1], int(motor[2])) if motor else (0, name, 0)


def thresholds(worm, current):
    """The potentials at which all sigmoids are half open and no potential changes."""
    gap, chemical = worm.gap.toarray(), S_AT_REST * worm.chemical.toarray()
    leak = LEAK / CONTACT
    matrix = np.diag(leak + gap.sum(0) + chemical.sum(0)) - gap.T
    pull = (leak * REST + current / CONTACT).to_decimal(u.mV) + INHIBITION * worm.named(
        GABA
    ) @ chemical
    return np.linalg.solve(matrix, pull.T).T * u.mV


class Worm(nn.Module):
    """All neurons, with the current into each; `V` starts at `V_0`."""

    def __init__(self, worm, current, threshold, V_0):
        super().__init__()
        self.current, self.threshold, self.V_0 = current, threshold, V_0
        self.reversal = INHIBITION * worm.named(GABA)
        self.synapses = event.CSR.from_scipy(worm.chemical * (CONTACT / u.nS), u.nS)
        self.junctions = event.CSR.from_scipy(worm.gap * (CONTACT / u.nS), u.nS)
        self.coupling = jnp.ones(len(worm.names)) @ self.junctions

    def variables(self):
        shape = jnp.shape(self.V_0)
        return {
            "V": nn.Variable(self.V_0, shape),
            "s": nn.Variable(bst.init.Constant(S_AT_REST), shape),
        }

    def update(self):
        V, s = self.V.value, self.s.value
        release = RISE * bst.functional.sigmoid(SLOPE * (V - self.threshold))
        conductance = LEAK + self.coupling + s @ self.synapses
        inflow = (V / u.mV) @ self.junctions + (s * self.reversal) @ self.synapses
        drive = self.current + LEAK * REST + inflow * u.mV
        self.V.value = nn.exp_euler_step(lambda V: (drive - conductance * V) / CAPACITANCE, V)
        self.s.value = nn.exp_euler_step(lambda s: release * (1 - s) - DECAY * s, s)


def simulate(worm, currents, duration, kick=5.0 * u.mV):
    """Times and potentials, (currents, steps, neurons), for each current into PLML and PLMR.

    All currents run at the same time. The network starts near its rest, at most `kick` off.
    """
    current = currents[:, None] * worm.named("PLM[LR]")
    threshold = thresholds(worm, current)
    V_0 = threshold + kick * np.random.default_rng(0).uniform(-1, 1, len(worm.names))

    @bst.compile.jit
    @bst.augment.vmap
    def run(*lane):
        net = nn.init_all_states(Worm(worm, *lane))
        record = bst.compile.Trace(net.V, stride=EVERY)
        return bst.compile.for_loop(net, length=steps, record=record)[1]

    steps = round(duration / DT)
    with bst.environ.context(dt=DT):
        V = run(current, threshold, V_0)
    times = jnp.arange(1, V.shape[1] + 1) * (EVERY * DT).in_unit(u.second)
    return times, V


def modes(V):
    """Share of variance and course of each mode of the potentials, (steps, neurons)."""
    left, size, _ = np.linalg.svd(V.to_decimal(u.mV), full_matrices=False)
    return size**2 / (size**2).sum(), left * size


def draw(worm, currents, swing, times, V, shares, course):
    """`V`, `shares` and `course` are those of one current, once the response has settled."""
    OUT.mkdir(exist_ok=True)
    parts = [["synapses", "junctions", "swing"], ["traces", "traces", "modes"]]
    figure, axes = plt.subplot_mosaic(parts, figsize=(10, 6.6), layout="constrained", dpi=150)
    for name, matrix in (("synapses", worm.chemical), ("junctions", worm.gap)):
        synapses = event.CSR.from_scipy(matrix)
        bst.visualize.connectivity(synapses, ax=axes[name], title=name.capitalize())
        axes[name].set(xticks=range(0, len(worm.names), 100), yticks=range(0, len(worm.names), 100))
    axes["swing"].plot(currents / u.nA, swing, "o-", color="black", markersize=4)
    axes["swing"].set(
        xlabel="current into PLM (nA)", ylabel="swing (mV)", title="All motor neurons"
    )
    lines = {worm.names[i]: V[:, i] for i in np.flatnonzero(worm.named(SHOWN))}
    bst.visualize.traces(lines, times, name="V - mean", ax=axes["traces"], title="Motor neurons")
    axes["modes"].plot(course[:, 0], course[:, 1], linewidth=0.8, color="black")
    title = f"{shares[:2].sum():.1%} in two modes"
    axes["modes"].set(xlabel="mode 1 (mV)", ylabel="mode 2 (mV)", title=title)
    figure.savefig(OUT / "connectome.png")
    print(f"figure: {OUT}/connectome.png")


def main(edges=None, currents=CURRENTS, chosen=3, duration=20.0 * u.second):
    """Draws the responses; returns the swing at each current, and the modes of the one `chosen`."""
    worm = Connectome(edges or read())
    print(f"{len(worm.names)} neurons")
    print(f"{worm.chemical.nnz} pairs with synapses, {worm.chemical.sum():.0f} synapses")
    print(f"{worm.gap.nnz // 2} pairs with gap junctions, {worm.gap.sum() / 2:.0f} junctions")

    times, V = simulate(worm, currents, duration)
    settled, motor = times > times[-1] / 2, worm.named(MOTOR)
    times, V = times[settled], V[:, settled]
    V = V - V.mean(axis=1, keepdims=True)
    swing = V[..., motor].to_decimal(u.mV).std(axis=1).max(axis=1)
    for current, size in zip(currents, swing, strict=True):
        print(f"{current / u.nA:.1f} nA into PLM: motor neurons swing by {size:.1f} mV")

    shares, course = modes(V[chosen][:, motor])
    print(
        f"{currents[chosen] / u.nA:.1f} nA: {shares[0]:.1%} and {shares[1]:.1%} of it in two modes"
    )
    draw(worm, currents, swing, times, V[chosen], shares, course)
    return swing, shares


if __name__ == "__main__":
    main()
