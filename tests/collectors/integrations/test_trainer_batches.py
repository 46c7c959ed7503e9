"""Examples and tokens of a ``Trainer`` are counted to the last partial batch, and on from a checkpoint."""

import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from torch.utils.data import BatchSampler, DataLoader, IterableDataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from grokscope.collectors import Measuring
from grokscope.collectors.integrations.hugging_face import GrokscopeCallback, causal
from grokscope.collectors.integrations.trainer_batches import sizes_of
from grokscope.collectors.testing import MemorySink

TOKENS = torch.arange(14 * 6).reshape(14, 6) % 16
ROWS = [{"input_ids": row, "labels": row} for row in TOKENS]


class Stream(IterableDataset):
    def __iter__(self):
        yield from ROWS


class Watched(Trainer):
    """Notes by itself what every step has seen."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.seen, self.by_hand = 0, {}

    def training_step(self, model, inputs, *rest) -> torch.Tensor:
        loss = super().training_step(model, inputs, *rest)
        self.seen += len(inputs["input_ids"])
        self.by_hand[self.state.global_step + 1] = self.seen
        return loss


@pytest.fixture
def trainer_with(tmp_path):
    """Give a function that makes a Trainer of a tiny model with our callback."""

    def make(
        callback: GrokscopeCallback, *, data: object = ROWS, kind: type[Trainer] = Watched, **options: object
    ) -> Trainer:
        torch.manual_seed(0)
        size = GPT2Config(vocab_size=16, n_positions=6, n_embd=8, n_layer=1, n_head=1)
        arguments = TrainingArguments(
            str(tmp_path), per_device_train_batch_size=4, report_to=[], disable_tqdm=True, use_cpu=True,
            **{"num_train_epochs": 2, "logging_steps": 1, "save_strategy": "no"} | options,
        )  # fmt: skip
        return kind(GPT2LMHeadModel(size), arguments, train_dataset=data, callbacks=[callback])

    return make


def tracked(*splits: object, **options: object) -> tuple[GrokscopeCallback, MemorySink]:
    sink = MemorySink()
    return GrokscopeCallback(*splits, experiment="e", sink=sink, **options), sink


def curve(sink: MemorySink, name: str) -> dict[int, float]:
    return {step: value for step, key, value in sink.rows() if key == f"progress/{name}"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gradient_accumulation_steps": 3},
        {"dataloader_drop_last": True},
    ],
)
def test_each_step_has_seen_what_its_batches_held(trainer_with, options, capsys):
    callback, sink = tracked()
    trainer = trainer_with(callback, **options)
    trainer.train()
    assert curve(sink, "examples") == trainer.by_hand
    assert curve(sink, "tokens") == {}
    assert "grokscope:" not in capsys.readouterr().err


def test_tokens_are_the_trainer_s_own_and_epochs_and_flops_follow_from_what_was_seen(trainer_with, capsys):
    callback, sink = tracked({"test": causal(TOKENS)}, measuring=Measuring(dataset_examples=len(ROWS)))
    trainer = trainer_with(callback, include_num_input_tokens_seen="all", logging_steps=3)
    trainer.train()
    assert trainer.state.num_input_tokens_seen == 2 * TOKENS.numel()
    assert curve(sink, "tokens") == {step: 6 * seen for step, seen in trainer.by_hand.items()}
    assert curve(sink, "epochs") == pytest.approx(
        {step: seen / len(ROWS) for step, seen in trainer.by_hand.items()}
    )
    flops = curve(sink, "flops")
    assert flops == pytest.approx({step: flops[1] * seen / 4 for step, seen in trainer.by_hand.items()})
    assert [step for step, key, _ in sink.rows() if key == "epoch"] == [3, 6, 8]
    assert [step for step, key, _ in sink.rows() if key == "num_input_tokens_seen"] == [3, 6, 8]
    assert "grokscope:" not in capsys.readouterr().err


def test_a_resumed_training_goes_on_counting_within_its_epoch(trainer_with):
    first, _ = tracked()
    trainer_with(first, max_steps=3, save_strategy="steps", save_steps=3).train()
    again, sink = tracked()
    trainer = trainer_with(again, max_steps=7, include_num_input_tokens_seen="all")
    trainer.seen = 12
    trainer.train(resume_from_checkpoint=True)
    assert curve(sink, "examples") == trainer.by_hand == {4: 14, 5: 18, 6: 22, 7: 26}


def test_the_program_s_own_count_holds(trainer_with):
    class Counting(Watched):
        def training_step(self, model, inputs, *rest) -> torch.Tensor:
            callback.tracker.seen(examples=1)
            return super().training_step(model, inputs, *rest)

    callback, sink = tracked()
    trainer_with(callback, kind=Counting, max_steps=3).train()
    assert curve(sink, "examples") == {1: 1.0, 2: 2.0, 3: 3.0}


def test_of_a_stream_full_batches_are_counted_and_that_the_last_may_not_have_been_is_said(
    trainer_with, capsys
):
    callback, sink = tracked()
    trainer_with(callback, data=Stream(), max_steps=3).train()
    assert curve(sink, "examples") == {1: 4.0, 2: 8.0, 3: 12.0}
    assert "grokscope:" not in capsys.readouterr().err
    callback, sink = tracked()
    trainer_with(callback, data=Stream(), max_steps=6).train()
    assert "the training data has no length" in capsys.readouterr().err


class Uneven(BatchSampler):
    """Batches of a size that each has for itself."""

    def __iter__(self):
        yield from ([0, 1, 2, 3], [4], [5, 6])

    def __len__(self) -> int:
        return 3


@pytest.mark.parametrize("length", [40, 41, 50, 79])
@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_of_several_processes_all_batches_are_those_that_accelerate_gives_them(length, is_split, drop_last):
    def loader_of(rank: int) -> DataLoader:
        sampler = BatchSampler(range(length), 10, drop_last)
        shard = BatchSamplerShard(sampler, num_processes=2, process_index=rank, split_batches=is_split)
        return DataLoader(range(length), batch_sampler=shard)

    sizes = [[len(batch) for batch in loader_of(rank)] for rank in range(2)]
    found = sizes_of(loader_of(0))
    expected = [found.full] * (len(sizes[0]) - 1) + [found.last]
    assert sizes == [expected] * found.processes


def test_batches_whose_sizes_nothing_tells_are_not_counted_and_that_is_said_once(trainer_with, capsys):
    class Sampled(Watched):
        def get_train_dataloader(self) -> DataLoader:
            return DataLoader(ROWS, batch_sampler=Uneven(range(7), 4, drop_last=False))

    callback, sink = tracked()
    trainer_with(callback, kind=Sampled, max_steps=3).train()
    assert curve(sink, "examples") == {}
    assert capsys.readouterr().err.count("examples are not counted: nothing tells") == 1
