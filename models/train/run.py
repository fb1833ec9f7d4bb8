"""What every training here does alike: a clock, a rate that rises and falls, states that resume."""

import os
import time
from pathlib import Path

import numpy as np
import torch

# Checkpoints and optimiser states; never committed.
CACHE = Path(os.environ.get("TRAIN_CACHE", Path(__file__).with_name(".cache")))


def learning_rate(peak: float, share: float) -> float:
    """Up over the first 3 %, then down along a cosine to 1 % of the peak."""
    if share < 0.03:
        return peak * (0.05 + 0.95 * share / 0.03)
    return peak * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * min(1.0, (share - 0.03) / 0.97))))


def clock(minutes: float):
    """Yield (share of the time spent, seconds) until the time is up."""
    start = time.monotonic()
    while (seconds := time.monotonic() - start) < minutes * 60:
        yield seconds / (minutes * 60), seconds


class Average:
    """A running mean of the weights: smoother than the weights of any one step."""

    def __init__(self, net: torch.nn.Module, keep: float = 0.995):
        self.keep = keep
        self.weights = {name: value.detach().clone() for name, value in net.state_dict().items()}

    @torch.no_grad()
    def add(self, net: torch.nn.Module) -> None:
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - self.keep)


def save_state(path: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer, seconds: float, step: int, **more) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "seconds": seconds, "step": step, **more}, whole)
    whole.replace(path)


def load_state(path: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer) -> tuple[float, int]:
    """Seconds and steps already spent; (0, 0) where there is nothing to resume."""
    if not path.exists():
        return 0.0, 0
    state = torch.load(path, map_location="cpu", weights_only=False)
    net.load_state_dict(state["net"])
    optimiser.load_state_dict(state["optimiser"])
    return state["seconds"], state["step"]
