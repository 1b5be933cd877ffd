import brainunit as u
import numpy as np
import pytest

import brainstate
from brainstate import nn

DT = 0.1
RATES = {  # alpha, beta, T, T_dur
    nn.AMPA: (0.98, 0.18, 0.5, 0.5),
    nn.GABAa: (0.53, 0.18, 1.0, 1.0),
    nn.NMDA: (0.072, 0.0066, 1.0, 1.0),
}


def run(synapse, spikes, unit=1.0):
    nn.init_all_states(synapse)

    def step(i, spike):
        with brainstate.environ.context(dt=DT * unit, t=i * DT * unit):
            return synapse(spike)

    return brainstate.compile.for_loop(step, np.arange(len(spikes)), spikes)


def closed_form(spikes, alpha, beta, concentration, duration):
    """The exact solution, which is exponential while the concentration is constant."""
    g, last, found = np.zeros(spikes.shape[1]), np.full(spikes.shape[1], -np.inf), []
    for i, spike in enumerate(spikes):
        last = np.where(spike, i, last)
        binding = alpha * concentration * (i - last < round(duration / DT))
        rate = binding + beta
        g = binding / rate + (g - binding / rate) * np.exp(-rate * DT)
        found.append(g)
    return np.array(found)


SPIKES = np.zeros((40, 2), bool)
SPIKES[[0, 3, 24], [0, 1, 1]] = True


@pytest.mark.parametrize("kind", RATES)
@pytest.mark.parametrize("dtype", [bool, float])
def test_receptors_open_and_close(kind, dtype):
    # Durations that fall between steps, so that rounding of the time decides nothing.
    alpha, beta, concentration, duration = RATES[kind]
    expected = closed_form(SPIKES, alpha, beta, concentration, duration)
    found = run(kind(2, T_dur=(duration - DT / 2) * u.ms), SPIKES.astype(dtype), u.ms)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    plain = run(kind(2, T_dur=duration - DT / 2), SPIKES.astype(dtype))
    np.testing.assert_allclose(plain, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", RATES)
def test_standard_parameters(kind):
    synapse = kind(2)
    alpha, beta, concentration, duration = RATES[kind]
    assert synapse.alpha == alpha / (u.mM * u.ms)
    assert synapse.beta == beta / u.ms
    assert (synapse.T, synapse.T_dur) == (concentration * u.mM, duration * u.ms)
    assert kind(2, beta=0.2).T_dur == duration


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(nn.AMPA, [0.047395, 0.091718, 0.133169]), (nn.GABAa, [0.051162, 0.098818, 0.143207])],
)
def test_reference_values(kind, expected):
    spikes = np.array([[True], [False], [False]])
    np.testing.assert_allclose(run(kind(1), spikes, u.ms)[:, 0], expected, atol=6e-7)


def test_the_time_is_needed():
    synapse = nn.init_all_states(nn.AMPA(1))
    with brainstate.environ.context(dt=DT * u.ms), pytest.raises(KeyError, match="'t'"):
        synapse(True)
    with (
        brainstate.environ.context(dt=DT * u.ms, t=0.0),
        pytest.raises(u.UnitMismatchError, match="`t`"),
    ):
        synapse(True)
