"""Models of text: which file a piece is from, the next character, and a word written backwards."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Adam, AdamW

from grokscope.experiments.ordinary.data import Split, snippets
from grokscope.experiments.ordinary.loops import (
    Row,
    batches,
    endless,
    evaluated,
    learn,
    mean_of,
    mlp,
    predicted,
)
from grokscope.experiments.sequences.texts import python_help

_CODES = 128
_CONTEXT = 48
_LETTERS = 8
_LENGTH = 6


def snippets_of_files() -> Iterator[Row]:
    """Which of five files a piece of 60 characters is from, as the Trainer's ``log_history`` has it."""
    torch.manual_seed(41)
    train, held_out = snippets()
    model = mlp(1024, 64, 5)
    optimizer = AdamW(model.parameters(), lr=5e-4, weight_decay=0.01)
    losses: list[float] = []
    for step, (counts, files) in zip(range(1, 1001), endless(train, 20), strict=False):
        optimizer.param_groups[0]["lr"] = 5e-4 * (1 - step / 1001)
        losses.append(learn(optimizer, cross_entropy(model(counts), files)))
        if step % 10 == 0:
            lr = optimizer.param_groups[0]["lr"]
            yield step, {"loss": mean_of(losses[-10:]), "learning_rate": lr, "epoch": step / 50}
        if step % 50 == 0:
            eval_loss, eval_accuracy = evaluated(model, held_out)
            yield step, {"eval_loss": eval_loss, "eval_accuracy": eval_accuracy, "epoch": step / 50}


class NextCharacter(nn.Module):
    """Logits [N, L, 128] of the next character after each of [N, L], by a recurrent network."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(_CODES, 32)
        self.recurrent = nn.GRU(32, hidden, batch_first=True)
        self.output = nn.Linear(hidden, _CODES)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the logits."""
        return self.output(self.recurrent(self.embedding(codes))[0])


class Encoder(nn.Module):
    """Logits [N, L, symbols] at each position of [N, L], by a small transformer."""

    def __init__(self, symbols: int, length: int, *, causal: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, 64)
        self.position = nn.Parameter(0.1 * torch.randn(length, 64))
        layers = [
            nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(2)
        ]
        self.layers = nn.ModuleList(layers)
        self.output = nn.Linear(64, symbols)
        self.mask = torch.full((length, length), -math.inf).triu(1) if causal else None

    def forward(self, symbols: Tensor) -> Tensor:
        """Return the logits."""
        hidden = self.embedding(symbols) + self.position
        for layer in self.layers:
            hidden = layer(hidden, src_mask=self.mask)
        return self.output(hidden)


def help_recurrent() -> Iterator[Row]:
    """A recurrent model of the characters of Python's help: loss, perplexity and bits a character."""
    torch.manual_seed(42)
    text = python_help()
    train, valid = _windows(text[:200_000]), _windows(text[200_000:210_000])
    model = NextCharacter(96)
    optimizer = Adam(model.parameters(), lr=3e-3)
    losses: list[float] = []
    for step, (codes, following) in zip(range(601), endless(train, 32), strict=False):
        if step % 20 == 0:
            nats = _surprise(model, valid)
            row = {"valid_loss": nats, "valid_ppl": math.exp(nats), "valid_bpc": nats / math.log(2)}
            yield step, row | ({"train_loss": mean_of(losses)} if losses else {})
            losses.clear()
        losses.append(learn(optimizer, _loss(model(codes), following)))


def help_transformer() -> Iterator[Row]:
    """A transformer that sees the same 5,000 characters again and again, with names as nanoGPT has them."""
    torch.manual_seed(43)
    text = python_help()
    train, val = _windows(text[:5_000]), _windows(text[5_000:15_000])
    model = Encoder(_CODES, _CONTEXT, causal=True)
    optimizer = AdamW(model.parameters(), lr=1e-3)
    for step, (codes, following) in zip(range(601), endless(train, 32), strict=False):
        if step % 20 == 0:
            yield step, {"train/loss": _surprise(model, train), "val/loss": _surprise(model, val), "lr": 1e-3}
        learn(optimizer, _loss(model(codes), following))


def words_reversed() -> Iterator[Row]:
    """Words of six letters written backwards: the share of letters and of whole words that are right."""
    torch.manual_seed(44)
    words = torch.randint(_LETTERS, (2500, _LENGTH))
    train, test = (words[:2000], words[:2000].flip(1)), (words[2000:], words[2000:].flip(1))
    model = Encoder(_LETTERS, _LENGTH, causal=False)
    optimizer = Adam(model.parameters(), lr=3e-4)
    step = 0
    for _ in range(25):
        for inputs, targets in batches(train, 50):
            if step % 10 == 0:
                letters, whole = _right(model, test)
                row = {"train/exact_match": _right(model, (inputs, targets))[1]}
                yield step, row | {"test/token_accuracy": letters, "test/exact_match": whole}
            learn(optimizer, _loss(model(inputs), targets))
            step += 1


def _windows(text: Tensor) -> Split:
    # Windows overlap by half, so that each character but the first few is met in a context.
    pieces = text.unfold(0, _CONTEXT + 1, _CONTEXT // 2)
    return pieces[:, :-1], pieces[:, 1:]


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(logits.flatten(0, 1), targets.flatten())


def _surprise(model: nn.Module, data: Split) -> float:
    return _loss(predicted(model, data[0]), data[1]).item()


def _right(model: nn.Module, data: Split) -> tuple[float, float]:
    right = predicted(model, data[0]).argmax(dim=-1) == data[1]
    return right.float().mean().item(), right.all(dim=1).float().mean().item()
