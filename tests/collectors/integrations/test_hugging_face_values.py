"""What the callback keeps is what the Trainer keeps in ``log_history``, by names that are read right."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from grokscope.collectors.integrations.hugging_face import GrokscopeCallback, causal
from grokscope.collectors.testing import MemorySink
from grokscope.schemas.metrics.aliases import canonical

TOKENS = torch.arange(96).reshape(8, 12) % 16
# The first token is predicted by nothing; Transformers would count it all the same.
ROWS = [{"input_ids": row, "labels": torch.cat([torch.tensor([-100]), row[1:]])} for row in TOKENS]
OWN = {
    "loss": "train/batch_loss",
    "epoch": "progress/epochs",
    "train_loss": "trainer/mean_train_loss",
}


@pytest.fixture
def trainer_with(tmp_path):
    """Give a function that makes a Trainer of a tiny model with our callback."""

    def score(found) -> dict[str, float]:
        return {"accuracy": (found.predictions.argmax(-1) == found.label_ids).mean()}

    def make(callback: GrokscopeCallback, *, evaluated=ROWS, **options: object) -> Trainer:
        torch.manual_seed(0)
        still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
        size = GPT2Config(vocab_size=16, n_positions=12, n_embd=16, n_layer=1, n_head=2, **still)
        arguments = TrainingArguments(
            str(tmp_path), per_device_train_batch_size=2, report_to=[], disable_tqdm=True, use_cpu=True,
            **{"max_steps": 4, "logging_steps": 1, "save_strategy": "no"} | options,
        )  # fmt: skip
        return Trainer(
            GPT2LMHeadModel(size),
            arguments,
            train_dataset=ROWS,
            eval_dataset=evaluated,
            callbacks=[callback],
            compute_metrics=score,
        )

    return make


def tracked(**options: object) -> tuple[GrokscopeCallback, MemorySink]:
    sink = MemorySink()
    return GrokscopeCallback(experiment="e", sink=sink, **options), sink


def kept(sink: MemorySink) -> list[tuple[int, str, float]]:
    """Return all but what is counted of batches."""
    return sorted(row for row in sink.rows() if row[1] not in {"progress/examples", "progress/tokens"})


def history(trainer: Trainer, names: dict[str, str]) -> list[tuple[int, str, float]]:
    """Return every number that the Trainer logged, under ``names`` where they say so."""
    return sorted(
        (entry["step"], names.get(key, key), float(value))
        for entry in trainer.state.log_history
        for key, value in entry.items()
        if key != "step"
    )


def evaluated_as(**splits: str) -> dict[str, str]:
    ends = ("loss", "accuracy", "runtime", "samples_per_second", "steps_per_second", "model_preparation_time")
    return OWN | {f"{prefix}_{end}": f"{split}/{end}" for prefix, split in splits.items() for end in ends}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gradient_accumulation_steps": 2, "eval_strategy": "steps", "eval_steps": 2},
        {"logging_steps": 3, "eval_strategy": "epoch", "num_train_epochs": 2, "max_steps": -1},
        {"eval_on_start": True, "include_num_input_tokens_seen": "all", "logging_first_step": True},
    ],
)
def test_every_number_of_the_history_is_there_once_at_its_step(trainer_with, options):
    callback, sink = tracked()
    trainer = trainer_with(callback, **options)
    trainer.train()
    assert kept(sink) == history(trainer, evaluated_as(eval="val"))


def test_the_loss_of_a_step_is_the_mean_over_all_that_it_accumulates(trainer_with):
    losses: list[float] = []

    def keep(_, __, inputs, output) -> None:
        logits, following = output.logits[:, :-1].flatten(0, 1), inputs["labels"][:, 1:].flatten()
        losses.append(cross_entropy(logits, following).item())

    callback, sink = tracked()
    trainer = trainer_with(callback, gradient_accumulation_steps=2)
    trainer.model.register_forward_hook(keep, with_kwargs=True)
    trainer.train()
    found = [value for _, key, value in sink.rows() if key == "train/batch_loss"]
    assert found == pytest.approx([sum(losses[i : i + 2]) / 2 for i in range(0, 8, 2)])


def test_several_sets_are_splits_of_their_own_and_two_never_one_curve(trainer_with):
    callback, sink = tracked()
    sets = {"easy": ROWS[:4], "validation": ROWS[4:], "dev": ROWS[:2], "test": ROWS[2:4]}
    trainer = trainer_with(callback, evaluated=sets, eval_strategy="steps", eval_steps=2)
    trainer.train()
    names = evaluated_as(eval_easy="shift:easy", eval_validation="val", eval_test="test")
    assert kept(sink) == history(trainer, names)
    assert {"eval_dev_loss", "val/loss", "shift:easy/loss"} <= {key for _, key, _ in sink.rows()}


@pytest.mark.parametrize("name", ["val", "valid"])
def test_a_split_that_we_measure_ourselves_is_not_mixed_with_the_trainer_s(trainer_with, name):
    sink = MemorySink()
    callback = GrokscopeCallback({name: causal(TOKENS)}, experiment="e", sink=sink)
    trainer = trainer_with(callback, eval_strategy="steps", eval_steps=2)
    trainer.train()
    rows = sink.rows()
    assert [step for step, key, _ in rows if key == "val/loss"] == [1, 2, 3, 4]
    assert set(history(trainer, OWN)) <= set(rows)
    trainer.log({"val/loss": 9.0, "mine": 8.0})
    assert sink.rows()[len(rows) :] == [
        (4, "log/val/loss", 9.0),
        (4, "mine", 8.0),
        (4, "progress/epochs", 1.0),
    ]


def test_the_mean_over_the_whole_training_is_not_taken_for_a_curve(trainer_with):
    callback, sink = tracked()
    result = trainer_with(callback).train()
    assert (4, "trainer/mean_train_loss", result.training_loss) in sink.rows()
    assert canonical("trainer/mean_train_loss") is None
    assert "train_loss" not in {key for _, key, _ in sink.rows()}


def test_what_is_evaluated_before_and_after_training_is_in_its_run_and_predictions_are_not(trainer_with):
    callback, sink = tracked()
    trainer = trainer_with(callback)
    before = trainer.evaluate()
    trainer.predict(ROWS)
    trainer.train()
    after, tested = trainer.evaluate(), trainer.evaluate(ROWS[:2], metric_key_prefix="test")
    found = [row for row in sink.rows() if row[1].endswith(("val/loss", "test/loss"))]
    assert found == [
        (0, "val/loss", before["eval_loss"]),
        (4, "val/loss", after["eval_loss"]),
        (4, "test/loss", tested["test_loss"]),
    ]


def test_what_was_evaluated_before_a_resumed_training_is_of_other_weights_and_not_kept(trainer_with):
    trainer_with(tracked()[0], save_strategy="steps", save_steps=2).train()
    callback, sink = tracked()
    trainer = trainer_with(callback, max_steps=6)
    trainer.evaluate()
    trainer.train(resume_from_checkpoint=True)
    assert [row[0] for row in sink.rows() if row[1] == "train/batch_loss"] == [5, 6]
    assert min(row[0] for row in sink.rows()) == 5
