"""Keras's ``fit`` on torch: each step's own loss, and what Keras says at the end of each epoch."""

import keras
import numpy as np
import pytest
import torch

from grokscope.collectors import Measuring
from grokscope.collectors.integrations.keras import GrokscopeCallback
from grokscope.collectors.testing import MemorySink
from grokscope.schemas.metrics.aliases import resolve

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:keras", "ignore::FutureWarning:keras")

INPUTS = np.linspace(-1, 1, 200, dtype="float32").reshape(50, 4)
TARGETS = np.arange(50) % 3


def model_with(rate: float = 0.5, **options: object) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate, **options), loss, metrics=["accuracy"])
    return model


def by_hand(epochs: int, *, parts: int = 1, size: int = 20) -> list[float]:
    """Train the same model in plain torch and return the loss of each of its steps."""
    kernel, bias = (torch.tensor(w, requires_grad=True) for w in model_with().get_weights())
    optimizer, losses, waiting = torch.optim.SGD([kernel, bias], lr=0.5), [], []
    for _ in range(epochs):
        for begin in range(0, 50, size):
            part = slice(begin, begin + size)
            logits = torch.tensor(INPUTS[part]) @ kernel + bias
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(TARGETS[part]))
            (loss / parts).backward()
            waiting.append((loss.item(), len(logits)))
            if len(waiting) == parts:
                optimizer.step()
                optimizer.zero_grad()
                losses.append(sum(a * n for a, n in waiting) / sum(n for _, n in waiting))
                waiting = []
    return losses


def tracked(**options: object) -> tuple[GrokscopeCallback, MemorySink]:
    sink = MemorySink()
    return GrokscopeCallback(experiment="e", sink=sink, **options), sink


def curve(sink: MemorySink, name: str) -> dict[int, float]:
    return {step: value for step, key, value in sink.rows() if key == name}


def fit(model: keras.Model, callback: GrokscopeCallback, **options: object) -> dict[str, list[float]]:
    how = {"epochs": 2, "batch_size": 20, "shuffle": False, "verbose": 0} | options
    return model.fit(INPUTS, TARGETS, callbacks=[callback], **how).history


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_the_loss_of_each_step_is_that_of_its_batches_across_epochs_and_validations(parts):
    callback, sink = tracked()
    model = model_with(**({"gradient_accumulation_steps": parts} if parts > 1 else {}))
    fit(model, callback, epochs=3, validation_data=(INPUTS[:10], TARGETS[:10]))
    expected = by_hand(3, parts=parts)
    assert len(expected) == 9 // parts
    assert curve(sink, "train/batch_loss") == pytest.approx(dict(enumerate(expected, start=1)), rel=1e-5)


def test_the_examples_of_batches_are_counted_the_short_last_one_too_and_on_in_a_second_fit():
    callback, sink = tracked()
    model = model_with()
    fit(model, callback, epochs=2, validation_data=(INPUTS[:10], TARGETS[:10]))
    fit(model, callback, epochs=1)
    seen = dict(enumerate([20.0, 40.0, 50.0, 70.0, 90.0, 100.0, 120.0, 140.0, 150.0], start=1))
    assert curve(sink, "progress/examples") == seen


def test_another_model_is_a_run_of_its_own():
    callback, _ = tracked()
    runs = []
    for _ in range(2):
        fit(model_with(), callback, epochs=1)
        runs.append(callback.tracker.run_id)
    assert runs[0] != runs[1]


def test_epochs_are_keras_s_own_at_their_last_step():
    callback, sink = tracked()
    history = fit(model_with(), callback, validation_data=(INPUTS[:10], TARGETS[:10]))
    names = {"loss": "train/epoch_loss", "accuracy": "train/epoch_accuracy"}
    for name, values in history.items():
        key = names.get(name) or name.replace("val_", "val/")
        assert curve(sink, key) == pytest.approx(dict(zip([3, 6], values, strict=True)))
    assert curve(sink, "progress/epochs") == {3: 1.0, 6: 2.0}
    assert sink.status == "FINISHED"
    read = resolve({key for _, key, _ in sink.rows()})
    assert {read[name] for name in names.values()} == {"train/loss", "train/accuracy"}


def test_a_split_that_we_measure_ourselves_is_not_mixed_with_keras_s():
    callback, sink = tracked(splits={"valid": (torch.tensor(INPUTS), torch.tensor(TARGETS))})
    history = fit(model_with(), callback, validation_data=(INPUTS[:10], TARGETS[:10]))
    assert curve(sink, "val_loss") == pytest.approx(dict(zip([3, 6], history["val_loss"], strict=True)))
    assert list(curve(sink, "val/loss")) == [1, 2, 3, 4, 5, 6]


def test_epochs_that_the_tracker_counts_itself_are_not_mixed_with_keras_s():
    callback, sink = tracked(
        splits={"test": (torch.tensor(INPUTS), torch.tensor(TARGETS))},
        measuring=Measuring(dataset_examples=50),
    )
    fit(model_with(), callback)
    expected = {1: 0.4, 2: 0.8, 3: 1.0, 4: 1.4, 5: 1.8, 6: 2.0}
    rows = [(step, value) for step, key, value in sink.rows() if key == "progress/epochs"]
    assert dict(rows) == pytest.approx(expected)
    assert all(value == pytest.approx(expected[step]) for step, value in rows)


def test_a_second_fit_goes_on_in_the_run_of_the_first():
    callback, sink = tracked()
    model = model_with()
    fit(model, callback, epochs=1)
    run = callback.tracker.run_id
    fit(model, callback, epochs=1)
    assert callback.tracker.run_id == run
    assert list(curve(sink, "train/batch_loss").values()) == pytest.approx(by_hand(2), rel=1e-5)


def test_due_steps_measure_the_model_and_change_nothing():
    splits = {"test": (torch.tensor(INPUTS), torch.tensor(TARGETS))}
    callback, sink = tracked(splits=splits)
    model = model_with()
    history = fit(model, callback)
    assert history == fit(model_with(), tracked()[0])
    loss, accuracy = model.evaluate(INPUTS, TARGETS, verbose=0)
    assert curve(sink, "test/loss")[6] == pytest.approx(loss)
    assert curve(sink, "test/accuracy")[6] == pytest.approx(accuracy)
    kernel, bias = model.get_weights()
    assert curve(sink, "weights/norm")[6] == pytest.approx(np.sqrt((kernel**2).sum() + (bias**2).sum()))
