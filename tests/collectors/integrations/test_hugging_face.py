"""A ``Trainer`` that ends early, fails, resumes or evaluates afterwards: its run tells it as it was."""

import signal

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

from grokscope.collectors.integrations.hugging_face import GrokscopeCallback, causal
from grokscope.collectors.testing import MemorySink

TOKENS = torch.arange(96).reshape(8, 12) % 16


@pytest.fixture
def trainer_with(tmp_path):
    """Give a function that makes a Trainer of a tiny model with our callback and others."""

    def make(
        callback: GrokscopeCallback, *others: TrainerCallback, steps: int = 4, save: str = "no"
    ) -> Trainer:
        torch.manual_seed(0)
        size = GPT2Config(vocab_size=16, n_positions=12, n_embd=16, n_layer=1, n_head=2)
        arguments = TrainingArguments(
            str(tmp_path), max_steps=steps, per_device_train_batch_size=4, logging_steps=2, save_steps=2,
            save_strategy=save, report_to=[], disable_tqdm=True, use_cpu=True,
        )  # fmt: skip
        rows = [{"input_ids": row, "labels": row} for row in TOKENS]
        return Trainer(
            GPT2LMHeadModel(size),
            arguments,
            train_dataset=rows,
            eval_dataset=rows,
            callbacks=[callback, *others],
        )

    return make


def tracked() -> tuple[GrokscopeCallback, MemorySink]:
    sink = MemorySink()
    return GrokscopeCallback({"test": causal(TOKENS)}, experiment="e", sink=sink), sink


class StopEarly(TrainerCallback):
    def on_step_end(self, args, state, control, **_) -> None:
        control.should_training_stop = state.global_step == 1


class Fail(TrainerCallback):
    def on_step_end(self, args, state, control, **_) -> None:
        raise RuntimeError("out of memory")


def test_what_is_evaluated_after_training_is_in_its_run(trainer_with, capsys):
    callback, sink = tracked()
    trainer = trainer_with(callback)
    trainer.train()
    run = callback.tracker.run_id
    assert sink.status == "FINISHED"
    measured = trainer.evaluate()
    assert (4, "val/loss", measured["eval_loss"]) in sink.rows()
    assert (callback.tracker.run_id, sink.status) == (run, "FINISHED")
    assert "grokscope:" not in capsys.readouterr().err


def test_a_training_that_stops_early_has_finished(trainer_with):
    callback, sink = tracked()
    trainer_with(callback, StopEarly()).train()
    assert sink.status == "FINISHED"
    assert {step for step, key, _ in sink.rows() if key == "test/accuracy"} == {1}


def test_a_training_that_fails_is_told_once_another_begins(trainer_with):
    callback, sink = tracked()
    with pytest.raises(RuntimeError, match="out of memory"):
        trainer_with(callback, Fail()).train()
    assert sink.status is None
    first = callback.tracker
    trainer_with(callback).train()
    assert callback.tracker is not first
    first.close()
    assert sink.status == "FINISHED"  # the second one's; closing the first again changed nothing


def test_a_training_that_resumes_goes_on_in_its_run(trainer_with):
    callback, _ = tracked()
    trainer_with(callback, save="steps").train()
    again, sink = tracked()
    trainer_with(again, steps=6).train(resume_from_checkpoint=True)
    assert again.tracker.run_id == callback.tracker.run_id
    assert min(step for step, _, _ in sink.rows()) == 5


def test_a_training_anew_is_a_run_of_its_own(trainer_with):
    first, second = tracked()[0], tracked()[0]
    for callback in (first, second):
        trainer_with(callback).train()
    assert first.tracker.run_id != second.tracker.run_id


def limit(*_: object) -> None:
    raise TimeoutError("limit")


class Ringing:
    def __iter__(self):
        signal.raise_signal(signal.SIGUSR1)
        yield


def test_what_a_signals_handler_raises_while_the_model_is_measured_ends_the_training(trainer_with):
    sink, before = MemorySink(), signal.signal(signal.SIGUSR1, limit)
    callback = GrokscopeCallback({"test": Ringing()}, experiment="e", sink=sink)
    with pytest.raises(TimeoutError, match="limit"):
        trainer_with(callback).train()
    assert callback.tracker.run_id
    signal.signal(signal.SIGUSR1, before)
