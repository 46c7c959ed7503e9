"""What a tracker says that its training has seen, against counts by hand."""

import json

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.testing._internal.distributed.fake_pg import FakeStore

from grokscope.collectors import Measuring, Tracker, TrackerError, every
from grokscope.collectors.testing import MemorySink

X, Y = torch.randn(24, 4, generator=torch.Generator().manual_seed(0)), torch.arange(24) % 3
IDS, MASK = torch.tensor([[5, 6, 7], [8, 0, 0]]), torch.tensor([[1, 1, 1], [1, 0, 0]])
PADDED = {"input_ids": IDS, "attention_mask": MASK}


def tracker_with(model: nn.Module | None = None, run_id: str | None = None, **measuring: object):
    sink = MemorySink()
    how = Measuring(defaults=False, **measuring)
    return Tracker(model, experiment="e", run_id=run_id, measuring=how, sink=sink), sink


def curve(sink: MemorySink, quantity: str) -> dict[int, float]:
    return {step: value for step, key, value in sink.rows() if key == f"progress/{quantity}"}


def test_micro_batches_are_counted_and_logged_at_steps():
    tracker, sink = tracker_with()
    for step in (1, 2, 3):
        for _ in range(2):
            tracker.seen(PADDED)
        tracker.log(step, {"loss": 0.5})
    assert curve(sink, "examples") == {1: 4.0, 2: 8.0, 3: 12.0}
    assert curve(sink, "tokens") == {1: 8.0, 2: 16.0, 3: 24.0}


def test_what_is_logged_at_each_step_has_its_progress_ever_more_seldom_and_at_the_end():
    tracker, sink = tracker_with()
    with tracker:
        for step in range(1, 10_001):
            tracker.seen(examples=4)
            tracker.log(step, {"loss": 0.5})
    examples = curve(sink, "examples")
    assert all(value == 4 * step for step, value in examples.items())
    assert list(examples)[:33] == list(range(1, 34))
    assert len(examples) < 240
    assert max(examples) == 10_000


def test_what_was_seen_after_the_last_log_is_not_put_at_its_step():
    tracker, sink = tracker_with()
    with tracker:
        for _ in range(3):
            tracker.seen(examples=4)
        tracker.log(3, {"loss": 0.5})
        tracker.seen(examples=4)
    assert curve(sink, "examples") == {3: 12.0}


def test_a_count_of_the_users_own_wins():
    tracker, sink = tracker_with()
    tracker.seen(examples=4)
    tracker.log(1, {"progress/examples": 7.0})
    assert curve(sink, "examples") == {1: 7.0}


def test_numbers_given_win_over_those_of_the_batch():
    tracker, _ = tracker_with()
    tracker.seen(PADDED, tokens=3)
    tracker.seen(PADDED, examples=torch.tensor(5), tokens=4)
    assert tracker.exposure.values(2) == {"progress/examples": 7.0, "progress/tokens": 7.0}


def test_passes_and_repetitions_follow_from_the_size_of_the_set():
    tracker, _ = tracker_with(dataset_examples=10, dataset_tokens=100)
    found = []
    for _ in range(3):
        tracker.seen(examples=8, tokens=60)
        found.append(tracker.exposure.values(1))
    names = ("unique_examples", "unique_tokens", "epochs", "repetitions")
    assert [[one[f"progress/{name}"] for name in names] for one in found] == [
        [8, 60, 0.8, 1],
        [10, 100, 1.6, 1.6],
        [10, 100, 2.4, 2.4],
    ]


def test_of_a_set_of_tokens_they_follow_from_tokens():
    tracker, _ = tracker_with(dataset_tokens=100)
    tracker.seen(tokens=250)
    found = {"tokens": 250, "unique_tokens": 100, "epochs": 2.5, "repetitions": 2.5}
    assert tracker.exposure.values(1) == {f"progress/{name}": value for name, value in found.items()}


@pytest.mark.parametrize("as_given", [list, torch.tensor, lambda ids: torch.tensor(ids).numpy()])
def test_ids_tell_exactly_which_examples_are_new(as_given):
    tracker, _ = tracker_with(unique="ids")
    for ids in ([0, 1, 2], [2, 3, 3], [4, 0, 1]):
        tracker.seen((X[:3], Y[:3]), ids=as_given(ids))
    assert tracker.exposure.values(3) == {
        "progress/examples": 9.0,
        "progress/unique_examples": 5.0,
        "progress/repetitions": 1.8,
    }


@pytest.mark.parametrize("inputs", [X, X.bfloat16(), X.numpy()])
def test_contents_tell_about_how_many_examples_are_new(inputs):
    tracker, _ = tracker_with(unique="contents")
    for _ in range(3):
        for part in range(0, 24, 8):
            tracker.seen((inputs[part : part + 8], Y[part : part + 8]))
    assert tracker.exposure.values(9)["progress/unique_examples"] == pytest.approx(24, abs=1)


@pytest.mark.parametrize(
    ("unique", "ids", "said"),
    [
        ("ids", None, "a batch came without ids"),
        ("ids", [1, 2], "ids are one an example, of which there are 3"),
        ("ids", [1.0, 2.0, 3.0], "ids are whole numbers from 0"),
    ],
)
def test_where_ids_are_missing_once_no_number_of_distinct_examples_is_given(unique, ids, said, capsys):
    tracker, _ = tracker_with(unique=unique, dataset_examples=9)
    tracker.seen((X[:3], Y[:3]), ids=[0, 1, 2])
    tracker.seen((X[:3], Y[:3]), ids=ids)
    assert tracker.exposure.values(2) == {"progress/examples": 6.0, "progress/epochs": 6 / 9}
    assert said in capsys.readouterr().err


def test_ids_that_nothing_counts_are_told(capsys):
    tracker, _ = tracker_with()
    tracker.seen((X, Y), ids=list(range(24)))
    assert "Measuring(unique='ids')" in capsys.readouterr().err
    assert tracker.exposure.values(1) == {"progress/examples": 24.0}


@pytest.mark.parametrize(
    "given", [{"batch": "text"}, {}, {"examples": -1}, {"examples": "4"}, {"tokens": float("nan")}]
)
def test_what_cannot_be_counted_is_said_and_ends_nothing(given, capsys):
    tracker, sink = tracker_with()
    tracker.seen(given.pop("batch", None), **given)
    tracker.log(1, {"loss": 0.5})
    assert sink.rows() == [(1, "loss", 0.5)]
    assert "a training batch was not counted" in capsys.readouterr().err


def test_a_quantity_that_some_batches_do_not_tell_is_not_logged_and_the_other_is(capsys):
    tracker, _ = tracker_with()
    tracker.seen(PADDED)
    tracker.seen((X, Y))
    assert tracker.exposure.values(2) == {"progress/examples": 26.0}
    assert "tokens are not logged: 1 of 2 batches told none" in capsys.readouterr().err


@pytest.mark.parametrize("unique", [None, "ids", "contents"])
def test_a_resumed_run_goes_on_counting_from_its_state_which_json_keeps(unique):
    before, _ = tracker_with(unique=unique)
    before.seen((X[:8], Y[:8]), ids=list(range(8)) if unique else None)
    after, sink = tracker_with(run_id=before.run_id, unique=unique)
    after.exposure.load_state_dict(json.loads(json.dumps(before.exposure.state_dict())))
    after.seen((X[4:12], Y[4:12]), ids=list(range(4, 12)) if unique else None)
    after.log(2, {"loss": 0.5})
    assert curve(sink, "examples") == {2: 16.0}
    assert curve(sink, "unique_examples") == ({2: pytest.approx(12, abs=0.1)} if unique else {})


def test_a_resumed_run_without_a_state_logs_no_count_that_would_fall_and_says_so(capsys):
    tracker, sink = tracker_with(run_id="r")
    tracker.seen(PADDED)
    tracker.log(9, {"loss": 0.5})
    assert sink.rows() == [(9, "loss", 0.5)]
    assert "load_state_dict" in capsys.readouterr().err
    tracker.exposure.load_state_dict({})
    tracker.seen(PADDED)
    assert tracker.exposure.values(10)["progress/tokens"] == 4.0


def test_a_state_that_is_none_is_refused():
    tracker, _ = tracker_with()
    with pytest.raises(ValueError, match=r"state_dict\(\) gave, got dict"):
        tracker.exposure.load_state_dict({"batches": "many"})


def test_flops_of_the_model_follow_from_the_examples_that_were_counted():
    tracker, _ = tracker_with(nn.Linear(4, 3, bias=False))
    for _ in range(2):
        tracker.seen((X[:5], Y[:5]))
    values = tracker.evaluate(2, train=(X, Y))
    assert values["progress/flops"] == 10 * 3 * (2 * 4 * 3)
    assert values["progress/examples"] == 10


def test_flops_of_sequences_follow_from_their_places_padding_too_whatever_is_evaluated():
    width, words = 4, 7
    model = nn.Sequential(nn.Embedding(words, width), nn.Linear(width, words, bias=False))
    tracker, _ = tracker_with(model)
    short, long = torch.zeros(2, 6, dtype=torch.long), torch.full((3, 10), 1)
    tracker.seen((long, torch.where(torch.arange(10) < 8, long, -100)))
    values = tracker.evaluate(1, test=(short, short))
    assert values["progress/tokens"] == 3 * 8
    assert values["progress/flops"] == pytest.approx(3 * 10 * 3 * (2 * width * words))


def test_steps_of_known_size_need_no_counting():
    tracker, _ = tracker_with(nn.Linear(4, 3), tokens_per_step=512, examples_per_step=8, dataset_examples=16)
    values = tracker.evaluate(6, train=(X, Y))
    found = {key: value for key, value in values.items() if key.startswith("progress/")}
    assert {
        key: value for key, value in found.items() if key not in ("progress/seconds", "progress/flops")
    } == {
        "progress/examples": 48.0,
        "progress/tokens": 3072.0,
        "progress/unique_examples": 16.0,
        "progress/epochs": 3.0,
        "progress/repetitions": 3.0,
    }


def test_counting_changes_nothing_of_the_training():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    tracker, _ = tracker_with(unique="contents")
    batch = {"input_ids": IDS.clone(), "attention_mask": MASK.clone()}
    tracker.seen(batch)
    assert torch.equal(torch.get_rng_state(), state)
    assert list(batch) == ["input_ids", "attention_mask"]
    assert torch.equal(batch["input_ids"], IDS)
    assert torch.equal(batch["attention_mask"], MASK)


@pytest.mark.parametrize(
    "wrong",
    [{"dataset_tokens": 0}, {"dataset_examples": True}, {"tokens_per_step": "9"}, {"unique": "hash"}],
)
def test_sizes_and_ways_that_are_none_are_refused_at_once(wrong):
    with pytest.raises(TrackerError, match=next(iter(wrong))):
        Measuring(**wrong)


def test_the_sizes_of_the_set_are_params_and_the_config_s_own_word_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path))
    opened = {}

    def keep(run_id: str, *, params: dict[str, str], **_: object) -> MemorySink:
        opened.update(params)
        return MemorySink()

    monkeypatch.setattr("grokscope.collectors.tracker.open_sink", keep)
    how = Measuring(dataset_tokens=9000, dataset_examples=90)
    Tracker(experiment="e", config={"compute.exposure.unique_examples": 88}, measuring=how, schedule=every(2))
    assert opened == {
        "compute.exposure.unique_examples": "88",
        "compute.exposure.unique_tokens": "9000",
        "compute.exposure.unique_from": "size of the set",
    }


@pytest.fixture
def first_of_four():
    dist.init_process_group("fake", rank=0, world_size=4, store=FakeStore())
    yield
    dist.destroy_process_group()


def test_what_the_first_of_several_processes_counts_is_taken_for_each_of_them(first_of_four, capsys):
    tracker, _ = tracker_with(dataset_examples=64, unique="ids")
    tracker.seen({**PADDED}, ids=[0, 1])
    expected = {"progress/examples": 8.0, "progress/tokens": 16.0, "progress/epochs": 0.125}
    assert tracker.exposure.values(1) == expected
    assert "one of 4 processes does not see what the others do" in capsys.readouterr().err


def test_processes_that_share_their_batches_are_not_taken_twice(first_of_four):
    tracker, _ = tracker_with(data_parallel=2)
    tracker.seen(PADDED)
    assert tracker.exposure.values(1) == {"progress/examples": 4.0, "progress/tokens": 8.0}


def test_nothing_on_an_accelerator_is_waited_for():
    # A tensor of the device "meta" has no value: whatever would wait for one fails.
    away = {name: part.to("meta") for name, part in PADDED.items()}
    tracker, _ = tracker_with(dataset_tokens=3)
    for _ in range(3):
        tracker.seen(away)
    values = tracker.exposure.values(3)
    assert values.pop("progress/examples") == 6.0
    assert {value.device.type for value in values.values()} == {"meta"}
    assert set(values) == {
        f"progress/{name}" for name in ("tokens", "unique_tokens", "epochs", "repetitions")
    }
