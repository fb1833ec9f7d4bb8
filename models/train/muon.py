"""Muon for matrices, AdamW for the rest, as one optimiser: the same loss after fewer steps than AdamW alone.

Muon (Jordan et al. 2024) makes the step of each matrix orthogonal, so that directions with small gradients are learned as well.
Coefficients of the iteration: theirs. Size of a step: 0.2 sqrt(the longer side), which is what AdamW's have, so that one rate
serves both (Liu et al., Muon is Scalable for LLM Training, 2025).
"""

import torch
from torch import nn

A, B, C = 3.4445, -4.7750, 2.0315


def orthogonal(many: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Matrices [N, rows, columns] with all singular values near 1."""
    turned = many.mT if many.shape[1] > many.shape[2] else many
    x = turned / turned.norm(dim=(1, 2), keepdim=True).clamp(min=1e-9)
    for _ in range(steps):
        square = x @ x.mT
        x = A * x + (B * square + C * square @ square) @ x
    return x.mT if many.shape[1] > many.shape[2] else x


class Muon(torch.optim.Optimizer):
    """For matrices [rows, columns] alone. Those of one shape go through the iteration together."""

    def __init__(self, matrices: list[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            alike: dict[torch.Size, list[nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    alike.setdefault(weight.shape, []).append(weight)
            for shape, weights in alike.items():
                moved = []
                for weight in weights:
                    past = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                    past.lerp_(weight.grad, 1 - group["momentum"])
                    moved.append(weight.grad.lerp(past, group["momentum"]))
                size = group["lr"] * 0.2 * max(shape) ** 0.5
                for weight, move in zip(weights, orthogonal(torch.stack(moved))):
                    weight.mul_(1 - group["lr"] * group["weight_decay"]).sub_(move, alpha=size)


class Both(torch.optim.Optimizer):
    """`matrices` by Muon, `others` by AdamW; one state, one list of groups, one rate."""

    def __init__(self, matrices: list[nn.Parameter], others: list[nn.Parameter], lr: float, weight_decay: float = 1e-2, betas: tuple[float, float] = (0.9, 0.98)):
        self.parts = [Muon(matrices, lr, weight_decay=weight_decay), torch.optim.AdamW(others, lr=lr, weight_decay=weight_decay, betas=betas)]
        self.param_groups = [group for part in self.parts for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        for part in self.parts:
            part.zero_grad(set_to_none)

    def step(self, closure=None) -> None:
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict) -> None:
        for part, kept in zip(self.parts, state["parts"]):
            part.load_state_dict(kept)
        self.param_groups = [group for part in self.parts for group in part.param_groups]
