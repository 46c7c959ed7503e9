"""Names that frameworks and public repositories give their metrics, and what each of them is.

``metric_names.csv`` holds a log a ``source``: names that stand beside each other, each with the key that it
should go by, or none: settings, rates, terms of a loss, scores that do not say of which set, and second names
of a curve that is there already.
"""

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.schemas import Sureness, canonical, readings, resolve

FILE = Path(__file__).parents[2] / "data" / "metric_names.csv"


def logs() -> dict[str, dict[str, str]]:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["source"]][row["name"]] = row["reading"]
    return dict(found)


LOGS = logs()


@pytest.mark.parametrize("source", LOGS)
def test_every_name_of_a_log_is_read_as_what_it_is(source):
    names = LOGS[source]
    assert resolve(names) == {name: key or name for name, key in names.items()}


def test_there_are_hundreds_of_names_and_many_that_are_no_curve():
    names = {name: key for log in LOGS.values() for name, key in log.items()}
    assert len(names) >= 300
    assert sum(not key for key in names.values()) >= 100


@pytest.mark.parametrize("source", LOGS)
def test_what_is_followed_is_sure_or_likely_and_every_reading_says_why(source):
    for name, one in readings(LOGS[source]).items():
        assert one.because.endswith(".")
        assert one.is_followed == (one.sureness in (Sureness.SURE, Sureness.LIKELY))
        assert one.key is None or canonical(one.key) == one.key
        assert one.name == name


@given(
    st.lists(st.text(max_size=30), max_size=6), st.sampled_from(["val_", "train/", "", "eval_acc/", "loss_"])
)
def test_whatever_a_metric_is_called_it_is_read_and_its_key_is_read_back(names, front):
    logged = [f"{front}{name}" for name in names]
    found = readings(logged)
    assert list(found) == list(dict.fromkeys(logged))
    for one in found.values():
        assert one.key is None or canonical(one.key) == one.key


def test_a_text_of_a_million_words_is_no_name():
    assert readings(["acc " * 1_000_000])["acc " * 1_000_000].sureness is Sureness.UNREAD


def test_company_tells_what_a_name_alone_does_not():
    alone, beside = readings(["accuracy"]), readings(["accuracy", "val_accuracy"])
    assert (alone["accuracy"].sureness, alone["accuracy"].key) == (Sureness.UNSURE, "train/accuracy")
    assert (beside["accuracy"].sureness, beside["accuracy"].key) == (Sureness.LIKELY, "train/accuracy")


def test_a_task_behind_the_score_is_followed_where_training_has_it_too():
    names = ["train/acc_add", "test/acc_add", "test/acc_mul"]
    found = readings(names)
    assert [found[name].key for name in names[1:]] == ["shift:add/accuracy", "shift:mul/accuracy"]
    assert [found[name].sureness for name in names[1:]] == [Sureness.LIKELY, Sureness.UNSURE]
    assert (found["train/acc_add"].split, found["train/acc_add"].task) == ("train", "add")
