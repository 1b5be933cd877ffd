"""The network in snnTorch, as its tutorials write a loop over steps; its reset does not decay."""

from __future__ import annotations

import math

import snntorch
import torch
from snntorch import surrogate
from task import CLASSES, DT, INPUTS, NEURONS, TAU, Task, serve
from torch_training import fill, training_step

DECAY = math.exp(-DT / TAU)


class Network(torch.nn.Module):
    def __init__(self, weights: dict):
        super().__init__()
        self.input = torch.nn.Linear(INPUTS, NEURONS)
        self.neurons = snntorch.RLeaky(
            beta=DECAY, linear_features=NEURONS, spike_grad=surrogate.fast_sigmoid()
        )
        self.output = torch.nn.Linear(NEURONS, CLASSES, bias=False)
        self.readout = snntorch.Leaky(beta=DECAY, reset_mechanism="none")
        fill(self.input.weight, weights["input"], 1 - DECAY)
        fill(self.input.bias, weights["bias"])
        fill(self.neurons.recurrent.weight, weights["recurrent"], 1 - DECAY)
        fill(self.neurons.recurrent.bias, weights["bias"])
        fill(self.output.weight, weights["output"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        spikes, potential = self.neurons.init_rleaky()
        score, scores = self.readout.init_leaky(), []
        for now in x:
            spikes, potential = self.neurons(self.input(now), spikes, potential)
            _, score = self.readout(self.output(spikes), score)
            scores.append(score)
        return torch.stack(scores)


def make_step(task: Task) -> object:
    return training_step(Network(task.weights), task)


if __name__ == "__main__":
    serve(make_step)
