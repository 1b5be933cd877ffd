"""What the contenders on PyTorch share: weights as PyTorch holds them, and a training step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from task import RATE, Task


def fill(parameter: torch.Tensor, weights: np.ndarray, factor: float = 1.0) -> None:
    """Set a parameter of shape (outputs, inputs) to weights of shape (inputs, outputs)."""
    with torch.no_grad():
        parameter.copy_(factor * torch.as_tensor(weights.T))


def training_step(network: torch.nn.Module, task: Task) -> Callable[[], float]:
    x, y = torch.as_tensor(task.spikes), torch.as_tensor(task.classes)
    adam = torch.optim.Adam(network.parameters(), lr=RATE)
    cross_entropy = torch.nn.CrossEntropyLoss()

    def step() -> float:
        adam.zero_grad()
        loss = cross_entropy(network(x).mean(0), y)
        loss.backward()
        adam.step()
        return loss.item()

    return step
