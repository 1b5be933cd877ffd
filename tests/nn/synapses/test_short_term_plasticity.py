import brainunit as u
import numpy as np

import brainstate
from brainstate import nn

DT = 0.5
SPIKES = np.zeros((60, 2), bool)
SPIKES[[0, 10, 20, 30, 30, 41], [0, 0, 0, 0, 1, 1]] = True


def run(synapse, spikes, unit=1.0):
    nn.init_all_states(synapse)
    with brainstate.environ.context(dt=DT * unit):
        return brainstate.compile.for_loop(synapse, spikes)


def stp(spikes, U, tau_f, tau_d):
    u_, x, found = np.full(2, U), np.ones(2), []
    for spike in spikes:
        u_, u_old = U + (u_ - U) * np.exp(-DT / tau_f) + spike * U * (1 - u_), u_
        x = 1 + (x - 1) * np.exp(-DT / tau_d) - spike * u_ * x
        assert (u_old >= U).all()
        found.append(u_ * x)
    return np.array(found)


def test_stp_agrees_with_numpy():
    expected = stp(SPIKES, 0.15, 1500.0, 200.0)
    np.testing.assert_allclose(run(nn.STP(2), SPIKES, u.ms), expected, rtol=1e-5)
    expected = stp(SPIKES, 0.3, 20.0, 50.0)
    synapse = nn.STP(2, U=0.3, tau_f=20.0, tau_d=50.0)
    np.testing.assert_allclose(run(synapse, SPIKES.astype(float)), expected, rtol=1e-5)


def test_stp_rests_where_it_starts():
    synapse = nn.init_all_states(nn.STP(2, U=np.array([0.1, 0.4])))
    with brainstate.environ.context(dt=1e5 * u.ms):
        np.testing.assert_allclose(synapse(np.zeros(2)), [0.1, 0.4], rtol=1e-6)
        synapse(np.ones(2))
        np.testing.assert_allclose(synapse(np.zeros(2)), [0.1, 0.4], rtol=1e-6)


def test_facilitation_and_depression():
    """The second of two spikes is stronger with slow facilitation, weaker with slow recovery."""
    first, last = np.flatnonzero(SPIKES[:, 1])
    facilitating = run(nn.STP(2, U=0.05, tau_f=1000.0, tau_d=1.0), SPIKES)[:, 1]
    assert facilitating[last] > 1.2 * facilitating[first]
    depressing = run(nn.STP(2, U=0.5, tau_f=1.0, tau_d=1000.0), SPIKES)[:, 1]
    assert depressing[last] < 0.8 * depressing[first]


def test_std_agrees_with_numpy():
    for synapse, unit, U, tau in (
        (nn.STD(2), u.ms, 0.07, 200.0),
        (nn.STD(2, U=0.2, tau=30.0), 1.0, 0.2, 30.0),
    ):
        x, expected = np.ones(2), []
        for spike in SPIKES:
            x = 1 + (x - 1) * np.exp(-DT / tau) - spike * U * x
            expected.append(x)
        found = run(synapse, SPIKES, unit)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        np.testing.assert_allclose(found[0, 0], 1 - U, rtol=1e-6)
