"""What every training here does alike: a clock, a rate that rises and falls, states that resume."""

import os
import time
from pathlib import Path

import numpy as np
import torch

# Checkpoints and optimiser states; never committed.
CACHE = Path(os.environ.get("TRAIN_CACHE", Path(__file__).with_name(".cache")))

# Seconds that one step of any training here takes at most.
LONGEST_STEP = 10.0


def learning_rate(peak: float, share: float) -> float:
    """Up over the first 3 %, then down along a cosine to 1 % of the peak."""
    if share < 0.03:
        return peak * (0.05 + 0.95 * share / 0.03)
    return peak * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * min(1.0, (share - 0.03) / 0.97))))


def clock(minutes: float, spent: float = 0.0):
    """Yield (share of the time spent, seconds) until the time is up; `spent` seconds went before the training was resumed.

    A gap longer than any step counts as `LONGEST_STEP` seconds: the process was stopped, or the machine slept.
    """
    seconds, before = spent, time.monotonic()
    while seconds < minutes * 60:
        yield seconds / (minutes * 60), seconds
        now = time.monotonic()
        seconds, before = seconds + min(now - before, LONGEST_STEP), now


def device(name: str | None = None) -> torch.device:
    """The named device, or the graphics card where there is one."""
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


class Average:
    """A running mean of the weights: smoother than the weights of any one step."""

    def __init__(self, net: torch.nn.Module, keep: float = 0.998, weights: dict | None = None):
        self.keep = keep
        self.weights = {name: value.detach().clone() for name, value in net.state_dict().items()}
        for name, value in (weights or {}).items():
            self.weights[name].copy_(value)

    @torch.no_grad()
    def add(self, net: torch.nn.Module) -> None:
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                self.weights[name].lerp_(value, 1 - self.keep)


def save_state(path: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer | None, seconds: float, step: int, **more) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict() if optimiser else None, "seconds": seconds, "step": step, **more}, whole)
    whole.replace(path)


def load_state(path: Path, net: torch.nn.Module, optimiser: torch.optim.Optimizer) -> tuple[float, int, dict]:
    """Seconds and steps already spent, and the whole state; (0, 0, {}) where there is nothing to resume."""
    if not path.exists():
        return 0.0, 0, {}
    state = torch.load(path, map_location="cpu", weights_only=False)
    net.load_state_dict(state["net"])
    if state["optimiser"]:
        optimiser.load_state_dict(state["optimiser"])
    return state["seconds"], state["step"], state
