"""Loops of language models as people write them: tuples, dictionaries, labels that are ignored."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from grokscope.collectors import Tracker

ByHand = dict[str, dict[int, float]]


def steps_with_get_batch() -> ByHand:
    """Train as nanoGPT does: batches drawn from one text, a model that returns (logits, loss)."""
    torch.manual_seed(0)
    text = torch.arange(200) % 11

    def get_batch() -> tuple[Tensor, Tensor]:
        begins = torch.randint(len(text) - 9, (6,))
        return torch.stack([text[i : i + 8] for i in begins]), torch.stack(
            [text[i + 1 : i + 9] for i in begins]
        )

    class Tiny(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(11, 16), nn.Linear(16, 11)

        def forward(self, idx: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
            logits = self.head(self.table(idx))
            if targets is None:
                return logits, None
            return logits, cross_entropy(logits.flatten(0, 1), targets.flatten())

    model, held_out = Tiny(), get_batch()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    by_hand: ByHand = {"train/batch_loss": {}, "val/loss": {}}
    tracker = Tracker(model, optimizer, experiment="loops")
    for iter_num in range(6):
        _, loss = model(*get_batch())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        tracker.log(iter_num, {"train/batch_loss": loss.item()})
        by_hand["train/batch_loss"][iter_num] = loss.item()
        if tracker.due(iter_num):
            tracker.evaluate(iter_num, val=held_out)
            by_hand["val/loss"][iter_num] = model(*held_out)[1].item()
    tracker.close()
    return by_hand


def batches_of_dictionaries() -> ByHand:
    torch.manual_seed(0)
    tokens = torch.arange(96).reshape(8, 12) % 11
    labels = torch.where(torch.arange(12) < 4, -100, tokens.roll(-1, 1))
    rows = [{"input_ids": ids, "labels": aims} for ids, aims in zip(tokens, labels, strict=True)]

    class Tiny(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(11, 16), nn.Linear(16, 11)

        def forward(self, input_ids: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
            logits = self.head(self.table(input_ids))
            return {"logits": logits} | ({} if labels is None else {"loss": loss_of(logits, labels)})

    def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits.flatten(0, 1), labels.flatten())

    model = Tiny()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    by_hand: ByHand = {"train/batch_loss": {}, "val/loss": {}}
    with Tracker(model, optimizer, experiment="loops") as tracker:
        for step, batch in enumerate(DataLoader(rows, batch_size=2)):
            loss = model(**batch)["loss"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tracker.log(step, {"train/batch_loss": loss})
            tracker.evaluate(step, val=DataLoader(rows, batch_size=4))
            by_hand["train/batch_loss"][step] = loss.item()
            by_hand["val/loss"][step] = loss_of(model(tokens)["logits"], labels).item()
    return by_hand


SCRIPTS = (steps_with_get_batch, batches_of_dictionaries)
