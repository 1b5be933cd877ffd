"""The network in Norse: its neurons have currents that decay, and are put to zero by a spike."""

from __future__ import annotations

import norse.torch as norse
import torch
from task import CLASSES, DT, INPUTS, NEURONS, TAU, Task, serve
from torch_training import fill, training_step

SECONDS = 1e-3


class Network(torch.nn.Module):
    def __init__(self, weights: dict):
        super().__init__()
        rate = torch.tensor(1 / (TAU * SECONDS))
        p = norse.LIFParameters(tau_mem_inv=rate)
        self.neurons = norse.LIFRecurrent(INPUTS, NEURONS, p=p, dt=DT * SECONDS)
        p = norse.LIParameters(tau_mem_inv=rate)
        self.readout = norse.LILinearCell(NEURONS, CLASSES, p=p, dt=DT * SECONDS)
        fill(self.neurons.input_weights, weights["input"])
        fill(self.neurons.recurrent_weights, weights["recurrent"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spikes, _ = self.neurons(x)
        state, scores = None, []
        for now in spikes:
            score, state = self.readout(now, state)
            scores.append(score)
        return torch.stack(scores)


def make_step(task: Task) -> object:
    return training_step(Network(task.weights), task)


if __name__ == "__main__":
    serve(make_step)
