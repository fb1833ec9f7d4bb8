"""Batches made beside the training, in a process of their own: pictures and looks cost a core as much as learning does."""

from dataclasses import dataclass
from queue import Full

import numpy as np
import torch
from torch import multiprocessing

from . import autoencoder, looks, prompts
from .bank import Bank

# What a text can mean: one structure and one light (or tint) at once, or none of either.
STRUCTURES = ["natural", *(look.__name__ for look in looks.STRUCTURE)]
LIGHTS = ["natural", *(look.__name__ for look in looks.LIGHT), *(f"tint:{colour}" for colour in looks.TINTS)]
LOOKS = list(looks.LOOKS)
# Twins are one picture in one look, either with two noises, or with one noise and the second picture moved along by a pixel.
SEEDS, MOVED = "seeds", "moved"


@dataclass
class Batch:
    """Pictures [B, 3, size, size] in [-1, 1]; latents and noise [B, C, size/8, size/8], N(0, 1); texts as token ids."""

    source: np.ndarray
    target: np.ndarray
    source_latent: np.ndarray
    target_latent: np.ndarray
    noise: np.ndarray
    ids: np.ndarray
    amounts: np.ndarray
    looks: list[str]
    # What the first two rows are, SEEDS or MOVED; None where they have nothing to do with each other.
    twins: str | None


class Chances:
    """Looks that are painted worse than the others are practised more often, up to three times as often; and those that flicker more, moved."""

    def __init__(self):
        self.losses, self.flickers = (multiprocessing.get_context("spawn").Array("d", [first] * len(LOOKS), lock=False) for first in (0.3, 1.0))

    def add(self, look: str, loss: float) -> None:
        self._into(self.losses, look, loss)

    def add_flicker(self, look: str, ratio: float) -> None:
        """How much two moved twins differ, against the reference's."""
        self._into(self.flickers, look, ratio)

    @staticmethod
    def _into(known, look: str, value: float) -> None:
        if look in looks.LOOKS:
            index = LOOKS.index(look)
            known[index] = 0.9 * known[index] + 0.1 * value

    def now(self) -> np.ndarray:
        losses = np.array(self.losses)
        wish = np.clip(np.sqrt(losses / np.median(losses)), 0.6, 1.8)
        return wish / wish.sum()

    def moved(self) -> np.ndarray:
        flickers = np.array(self.flickers)
        wish = np.clip(np.square(flickers / np.median(flickers)), 0.4, 4.0)
        return wish / wish.sum()


def readings(words, rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids [count, T], (structure, light) [count, 2], amounts [count]."""
    asked = [prompts.request(rng) for _ in range(count)]
    ids = torch.tensor([encoded.ids for encoded in words.encode_batch([ask.text for ask in asked])])
    meant = []
    for ask in asked:
        parts = ask.look.split("+")
        meant.append([next((STRUCTURES.index(p) for p in parts if p in STRUCTURES), 0), next((LIGHTS.index(p) for p in parts if p in LIGHTS), 0)])
    return ids, torch.tensor(meant), torch.tensor([ask.amount for ask in asked])


def _row(source, target, noise: np.ndarray, ask: prompts.Request) -> tuple:
    return source.picture.transpose(2, 0, 1) * 2 - 1, target.picture.transpose(2, 0, 1) * 2 - 1, source.latent, target.latent, noise, ask


def _twins(bank: Bank, size: int, chances: Chances, kind: str) -> list[tuple]:
    if kind == MOVED:
        ask = next(ask for ask in iter(lambda: prompts.request(bank.rng, chances=chances.moved()), None) if ask.look in looks.LOOKS)
        noise, (source, target, *moved) = bank.moved(size, ask.look)
        return [_row(source, target, noise, ask), _row(*moved, noise, ask)]
    # Mostly of the looks that have texture; of the others, that they have none.
    ask = next(ask for ask in iter(lambda: prompts.request(bank.rng, chances=chances.now()), None) if ask.look in looks.TEXTURED or (ask.look in looks.LOOKS and bank.rng.random() < 0.3))
    noises, (source, *targets) = bank.twins(size, ask.look)
    return [_row(source, target, noise, ask) for noise, target in zip(noises, targets)]


def batch(bank: Bank, words, size: int, count: int, chances: Chances, twins: str | None) -> Batch:
    rows = _twins(bank, size, chances, twins) if twins else []
    while len(rows) < count:
        ask = prompts.request(bank.rng, chances=chances.now())
        noise, (source, target) = bank.draw(size, "natural", ask.look)
        rows.append(_row(source, target, noise, ask))
    source, target, source_latent, target_latent, noise = (np.stack([row[i] for row in rows]) for i in range(5))
    asked = [row[5] for row in rows]
    ids = np.array([encoded.ids for encoded in words.encode_batch([ask.text for ask in asked])], np.int64)
    return Batch(source, target, source_latent, target_latent, noise, ids, np.array([ask.amount for ask in asked], np.float32), [ask.look for ask in asked], twins)


def _work(queue, seed: int, count: int, chances: Chances, path) -> None:
    torch.set_num_threads(1)
    vae = autoencoder.load(path)

    @torch.no_grad()
    def encode(picture: np.ndarray) -> np.ndarray:
        return (vae.encoder(torch.from_numpy(np.ascontiguousarray(picture))[None]) / autoencoder.LATENT_STD)[0].numpy()

    bank, words, step = Bank(seed, encode=encode), prompts.tokenizer(), 0
    while True:
        size, many = [(128, count), (128, count), (256, max(1, count // 4))][step % 3]
        made = batch(bank, words, size, many, chances, (SEEDS, MOVED)[step // 3 % 2] if many >= 4 else None)
        step += 1
        while True:
            try:
                queue.put(made, timeout=5)
                break
            except Full:
                # A training that was killed takes its feed along.
                if not multiprocessing.parent_process().is_alive():
                    queue.cancel_join_thread()
                    return


class Feed:
    """Batches without end: two of `count` pictures of 128², then one of a quarter as many of 256², and again."""

    def __init__(self, seed: int, count: int, chances: Chances, path, workers: int = 1):
        context = multiprocessing.get_context("spawn")
        self.queues = [context.Queue(4) for _ in range(workers)]
        self.turn = 0
        for index, queue in enumerate(self.queues):
            context.Process(target=_work, args=(queue, seed + 1000 * index, count, chances, path), daemon=True).start()

    def next(self) -> Batch:
        self.turn += 1
        return self.queues[self.turn % len(self.queues)].get()
