"""What a user logs as an array is kept as it is, or left out with one sentence; training never stops."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grokscope.collectors import Tracker
from grokscope.collectors.recording import device_values
from grokscope.collectors.recording.arrays import buffer
from grokscope.collectors.recording.spool import Points, SpoolWriter, read_spool
from grokscope.collectors.recording.spool.array_payload import array_payload
from grokscope.collectors.recording.spool.record import MalformedError, decode
from grokscope.collectors.testing import MemorySink
from grokscope.schemas.arrays import Axis, LoggedArray

ONE = LoggedArray(
    name="a",
    step=3,
    time_ms=1000,
    precision="float32",
    shape=(2, 1),
    axes=(Axis(name="layer", labels=("é", "b")), Axis(name="k")),
    data=bytes(8),
)


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def tracker(sink) -> Tracker:
    return Tracker(experiment="e", sink=sink)


@pytest.mark.parametrize(
    ("values", "precision", "expected"),
    [
        ([[1, 2], [3, 4]], "float64", [1.0, 2.0, 3.0, 4.0]),
        (np.array([1.5, math.inf], dtype=np.float16), "float32", [1.5, math.inf]),
        (np.array([True, False]), "float64", [1.0, 0.0]),
        (np.arange(6.0).reshape(2, 3).T, "float64", [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
        (torch.tensor([0.1]), "float32", [float(np.float32(0.1))]),
        (torch.tensor([2**40 + 1]), "float64", [2.0**40 + 1]),
        (torch.tensor([1.0, 2.0], dtype=torch.bfloat16), "float32", [1.0, 2.0]),
        (torch.eye(2).t()[:, :1], "float32", [1.0, 0.0]),
        (torch.ones(2, requires_grad=True) * 3, "float32", [3.0, 3.0]),
    ],
)
def test_arrays_of_any_kind_keep_their_values_and_order(tracker, sink, values, precision, expected):
    tracker.log_array(3, "a", values)
    (one,) = sink.arrays
    assert (one.step, one.precision, one.values(), one.why_bad) == (3, precision, expected, "")


def test_axes_have_names_and_labels(tracker, sink):
    tracker.log_array(0, "a", [[1.0, 2.0]], axes={"layer": ["embed"], "k": None})
    tracker.log_array(0, "b", [[1.0, 2.0]], axes=("layer", "k"))
    tracker.log_array(0, "c", [1.0, 2.0], axes="k")
    tracker.log_array(0, "d", [[1.0, 2.0]])
    assert [one.axes for one in sink.arrays] == [
        (Axis(name="layer", labels=("embed",)), Axis(name="k")),
        (Axis(name="layer"), Axis(name="k")),
        (Axis(name="k"),),
        (Axis(name="axis 0"), Axis(name="axis 1")),
    ]


@pytest.mark.parametrize(
    ("values", "axes", "sentence"),
    [
        (1.0, None, "'a' is one number; log it with log"),
        ([], None, "'a' has no values"),
        (np.zeros(65_537), None, "'a' has 65,537 values"),
        (np.zeros((1, 1, 1, 1, 1)), None, "'a' has 5 axes, and may have 4"),
        (["x", "y"], None, "'a' must hold numbers, got values of <U1"),
        (torch.zeros(2, dtype=torch.complex64), None, "'a' is complex; log its absolute values"),
        ([1.0, 2.0], ("layer", "k"), "'a' has 1 axes (its shape is [2]), and 2 are named: layer, k"),
        ([1.0, 2.0], {"k": ["one"]}, "axis 'k' of 'a' has 2 places and 1 labels"),
        ([[1.0]], ("k", "k"), "two axes have one name: k, k"),
        ([[1.0], [1.0, 2.0]], None, "was not logged"),
    ],
)
def test_what_is_no_small_array_is_left_out_with_one_sentence(tracker, sink, capsys, values, axes, sentence):
    for step in range(3):
        tracker.log_array(step, "a", values, axes=axes)
    assert sink.arrays == []
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("grokscope:") == 1
    tracker.close()
    assert sink.rows()[-1][1:] == ("collector/dropped", 3.0)


def test_beyond_the_limits_of_a_step_and_of_a_run_arrays_are_left_out_and_said_once(
    tracker, sink, capsys, monkeypatch
):
    monkeypatch.setattr(buffer, "MOST_STEP_BYTES", 2300)
    monkeypatch.setattr(buffer, "MOST_RUN_BYTES", 5300)  # of values, names and labels
    for step in range(4):
        for name in "abc":
            tracker.log_array(step, name, np.zeros(128))
    assert [(one.step, one.name) for one in sink.arrays] == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
    err = capsys.readouterr().err
    assert err.count("arrays of one step may have") == 1
    assert err.count("arrays of a run may have") == 3


def test_labels_of_a_long_axis_are_left_out_and_said(tracker, sink, capsys):
    tracker.log_array(0, "a", np.zeros(2000), axes={"token": [str(i) for i in range(2000)]})
    assert sink.arrays[0].axes == (Axis(name="token"),)
    assert "at most 1024 are kept" in capsys.readouterr().err


def test_what_is_changed_after_it_was_logged_is_logged_as_it_was(tracker, sink):
    values, tensor = np.ones(2), torch.ones(2)
    tracker.log_array(0, "a", values)
    tracker.log_array(0, "b", tensor)
    values += 1
    tensor += 1
    assert [one.values() for one in sink.arrays] == [[1.0, 1.0], [1.0, 1.0]]


def test_an_array_on_a_device_is_written_once_it_has_arrived_and_at_the_end_at_the_latest(
    tracker, sink, monkeypatch
):
    there = []

    def slow(tensor):
        return device_values.HostCopy(
            tensor=torch.ones(2), is_there=lambda: bool(there), wait=lambda: there.append(True)
        )

    monkeypatch.setattr(device_values, "start_copy", slow)
    monkeypatch.setattr(
        buffer, "numbers", lambda name, values: values if hasattr(values, "device") else np.array(values)
    )
    meta = torch.empty(2, device="meta")
    tracker.log_array(0, "a", meta)
    assert sink.arrays == []
    there.append(True)
    tracker.log_array(1, "b", [1.0])
    assert [one.name for one in sink.arrays] == ["b", "a"]
    there.clear()
    tracker.log_array(2, "c", meta)
    tracker.close()
    assert [(one.step, one.name, one.values()) for one in sink.arrays][2:] == [(2, "c", [1.0, 1.0])]


def test_after_the_end_nothing_is_logged_and_that_is_said(tracker, sink, capsys):
    tracker.close()
    tracker.log_array(0, "a", [1.0])
    assert sink.arrays == []
    assert "the array 'a' was not logged" in capsys.readouterr().err


def test_a_spool_keeps_arrays_and_points_in_their_order_bit_by_bit(tmp_path, tracker, sink):
    for step in range(3):
        tracker.log_array(step, "a", [math.nan, -0.0, 5e-324, step], axes={"k": list("wxyz")})
    writer = SpoolWriter(tmp_path, segment_bytes=300)
    for one in sink.arrays:
        writer.points(one.step, 1000, {"m": 1.0})
        writer.array(one)
    writer.close()
    records = [read.record for read in read_spool(tmp_path)]
    assert [one for one in records if not isinstance(one, Points)] == sink.arrays
    assert [isinstance(one, Points) for one in records] == [True, False] * 3


@given(data=st.data())
def test_a_payload_changed_anywhere_is_an_array_or_is_refused(data):
    changed = bytearray(array_payload(ONE))
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(1, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = decode(bytes(changed[: data.draw(st.integers(1, len(changed)))]), {})
    except MalformedError:
        return
    assert isinstance(read, LoggedArray)
    assert read.why_bad == ""
    assert len(read.values()) == math.prod(read.shape)


@pytest.mark.parametrize("step", [-(2**63), 2**63 - 1])
def test_a_payload_has_a_step_of_64_bits(step):
    one = replace(ONE, step=step)
    assert decode(array_payload(one), {}) == one
    with pytest.raises(MalformedError, match="it has no step"):
        decode(array_payload(replace(one, step=step + (1 if step > 0 else -1))), {})


def test_a_payload_of_a_million_axes_is_refused_before_anybody_multiplies_them():
    about = json.dumps({"name": "a", "step": 1, "time_ms": 1, "precision": "float32", "axes": [["k"]]})
    header = about.encode()[:-1] + b', "shape": [' + b"9223372036854775807," * 700_000 + b"1]}"
    with pytest.raises(MalformedError, match="it has 700001 lengths and 1 axes"):
        decode(b"A" + len(header).to_bytes(4, "little") + header + bytes(4), {})


def test_an_array_that_a_full_disk_does_not_take_is_counted(tmp_path, tracker, sink):
    tracker.log_array(0, "a", np.zeros(1000))
    writer = SpoolWriter(tmp_path, cap_bytes=5000)
    writer.points(0, 1000, {"m": 1.0})
    writer.array(sink.arrays[0])
    writer.points(1, 1000, {"m": 2.0})
    assert writer.dropped == 1
    writer.close()
    assert [read.record.step for read in read_spool(tmp_path)] == [0, 1]


def test_no_array_goes_beyond_the_cap_by_a_byte(tmp_path, tracker, sink):
    tracker.log_array(0, "a", np.zeros(10))
    (tmp_path / "free").mkdir()
    free = SpoolWriter(tmp_path / "free")
    free.array(sink.arrays[0])
    size = (tmp_path / "free/000000.seg").stat().st_size
    for cap in range(size - 12, size + 1):
        folder = tmp_path / str(cap)
        folder.mkdir()
        writer = SpoolWriter(folder, cap_bytes=cap)
        writer.array(sink.arrays[0])
        writer.close()
        assert writer.dropped == (cap < size)
        assert (folder / "000000.seg").stat().st_size <= cap
    free.close()


def test_times_of_arrays_never_go_back(tracker, sink, monkeypatch):
    for now in (2_000_000_000, 1_000_000_000):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now)
        tracker.log_array(0, "a", [1.0])
    assert [one.time_ms for one in sink.arrays] == [2000, 2000]


@pytest.mark.parametrize("step", [-1, -(2**63), 2**63 - 1, 3.0, torch.tensor(3)])
def test_any_step_of_64_bits_is_kept(tracker, sink, step):
    tracker.log_array(step, "a", [1.0])
    assert [one.step for one in sink.arrays] == [int(step)]


@pytest.mark.parametrize("step", [2**63, 1.5, math.nan, math.inf, None, "3", [10**5000], torch.ones(2)])
def test_what_is_no_step_is_told_and_costs_only_itself(tracker, sink, capsys, step):
    tracker.log_array(step, "a", [1.0])
    tracker.log_array(4, "b", [1.0])
    assert "a step is a whole number of at most 64 bits, got " in capsys.readouterr().err
    assert [one.name for one in sink.arrays] == ["b"]


def test_a_name_that_mlflow_would_not_take_is_changed_and_that_is_said(tracker, sink, capsys):
    for step in range(2):
        tracker.log_array(step, "../a\0b", [1.0])
    assert {one.name for one in sink.arrays} == {"a_b-131ea254"}
    assert capsys.readouterr().err.count("'../a\\x00b' is logged as 'a_b-131ea254'") == 1


def test_ten_thousand_names_are_kept_and_their_faults_said_a_few_times(tracker, sink, capsys):
    for number in range(10_000):
        tracker.log_array(number, f"layer {number}", [float(number)])
        if number < 100:
            tracker.log_array(number, f"none {number}", [])
    assert [one.name for one in sink.arrays] == [f"layer {number}" for number in range(10_000)]
    assert capsys.readouterr().err.count("grokscope:") <= 20
