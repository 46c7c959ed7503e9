"""What a sweep's file means, and the one sentence that each bad one gets."""

import json
import os

import pytest

from grokscope.experiments import ConfigError, StopRule, read_config
from grokscope.schemas import Kind

OWN = 'def train(lr, seed, *, width=8): "A training."\ndef seedless(lr): pass\n'


@pytest.fixture
def read(tmp_path):
    (tmp_path / "own.py").write_text(OWN)

    def reading(content: str, name: str = "a.toml"):
        (tmp_path / name).write_text(content)
        return read_config(tmp_path / name)

    return reading


def told(config):
    return [(cell.group, cell.seed, dict(cell.settings)) for cell in config.cells]


def test_a_grid_is_all_combinations_each_with_its_first_seed_first(read):
    config = read("train = 'own.py:train'\nseeds = [4, 7]\n[grid]\nlr = [0.1, 1]\nwidth = [8]\n")
    assert told(config) == [
        ("lr=0.1, width=8", 4, {"lr": 0.1, "width": 8}),
        ("lr=1, width=8", 4, {"lr": 1, "width": 8}),
        ("lr=0.1, width=8", 7, {"lr": 0.1, "width": 8}),
        ("lr=1, width=8", 7, {"lr": 1, "width": 8}),
    ]
    assert (config.experiment, config.store, config.workers) == ("a", None, None)


def test_random_cells_are_the_same_again_and_more_of_them_begin_with_the_same(read):
    space = "lr = {low = 1e-4, high = 1e-1, log = true}\nwidth = {low = 4, high = 64}\n"
    few, more = (read(f"train='own.py:train'\n[random]\nruns={n}\nseed=3\n{space}") for n in (5, 9))
    assert told(few) == told(more)[:5]
    for cell in more.cells:
        assert 1e-4 <= cell.settings["lr"] <= 1e-1
        assert type(cell.settings["width"]) is int
        assert cell.group == f"lr={cell.settings['lr']}, width={cell.settings['width']}"
    turned = "width = {low = 4, high = 64}\nlr = {low = 1e-4, high = 1e-1, log = true}\n"
    again = read(f"train='own.py:train'\n[random]\nruns=9\nseed=3\n{turned}")
    assert [cell.identity for cell in again.cells] == [cell.identity for cell in more.cells]


def test_a_group_is_called_the_same_once_a_value_is_added_to_the_sweep(read):
    ours = "train='own.py:train'\n"
    for few, more in (
        ("[grid]\nlr=[0.1]", "[grid]\nlr=[0.1, 0.2]"),
        ("[random]\nruns=1\nlr=[0.1]\nwidth=[4]", "[random]\nruns=2\nlr=[0.1]\nwidth=[4, 8]\nseed=3"),
        ("[[cells]]\nlr=0.1\nwidth=4", "[[cells]]\nlr=0.1\nwidth=4\n[[cells]]\nlr=0.1\nwidth=8"),
    ):
        (before,) = read(ours + few).cells
        after = {cell.identity: cell.group for cell in read(ours + more).cells}
        assert after[before.identity] == before.group


def test_given_cells_share_the_fixed_settings_and_are_grouped_by_their_own(read):
    config = read("train='own.py:train'\n[settings]\nwidth=4\n[[cells]]\nlr=0.1\n[[cells]]\nlr=0.2\n")
    assert told(config) == [
        ("lr=0.1", 0, {"width": 4, "lr": 0.1}),
        ("lr=0.2", 0, {"width": 4, "lr": 0.2}),
    ]


def test_toml_json_and_yaml_say_the_same(read):
    content = {"train": "own.py:train", "grid": {"lr": [1e-3, 0.1]}, "seeds": 2}
    toml = read("train='own.py:train'\nseeds=2\n[grid]\nlr=[1e-3, 0.1]\n")
    as_json = read(json.dumps(content), "a.json")
    as_yaml = read("train: own.py:train\ngrid: {lr: [1e-3, 0.1]}\nseeds: 2\n", "a.yaml")
    assert told(toml) == told(as_json) == told(as_yaml)


def test_settings_of_an_experiment_have_the_types_of_its_recipe(read):
    config = read(
        "train='modular-arithmetic'\nexperiment='E'\nworkers=2\nstore='sqlite:///x.db'\n[settings]\nlr=1\n"
        "steps=9\n[stop]\nafter='generalization'\n"
    )
    (cell,) = config.cells
    assert (cell.settings, cell.steps, cell.group) == ({"lr": 1.0, "steps": 9}, 9, "E")
    assert type(cell.settings["lr"]) is float
    assert cell.stop == StopRule(after=Kind.GENERALIZATION, factor=1.5)
    assert (config.experiment, config.workers, config.store) == ("E", 2, "sqlite:///x.db")


def test_the_placeholders_of_a_command_are_filled(read):
    config = read("command = 'python t.py --lr={lr} {{x}} \"a b\" {seed}'\nseeds=2\n[settings]\nlr=1e-3\n")
    assert config.cells[1].command == ("python", "t.py", "--lr=0.001", "{x}", "a b", "1")


GRID = "train='own.py:train'\n[grid]\n"
OURS = "train='modular-arithmetic'\n"
BAD = [
    ("", "a sweep says what it trains with one of two keys"),
    ("train='own.py:train'\ncommand=['a']", "a sweep says what it trains with one of two keys"),
    ("train='own.py:train'\ngird=1", "'gird' is no key of a sweep; closest: 'grid'"),
    ("train=3", "train is a text, got 3"),
    ("train='modular-arithmetics'", "closest: 'modular-arithmetic'"),
    ("train='none.py:train'", "none.py is not there"),
    ("train='own.py:other'", "own.py has no function 'other'"),
    (GRID + "lr=[]", "lr is an empty list"),
    (GRID + "lr=0.1", "lr is a list, got 0.1; write it in brackets"),
    (GRID + "lr=[1, 1]", "lr holds 1 twice"),
    (GRID + "lr=[nan]", "each lr is a finite number, got nan"),
    (GRID + "lr=[-inf]", "each lr is a finite number, got -inf"),
    (GRID + "lr=[[1]]", "each lr is a text, a number, true or false, got [1]"),
    (GRID + "lr=[2020-01-01]", "each lr is a text, a number, true or false, got datetime.date"),
    (GRID + "'l r'=[1]", "grid has names of letters, digits and '_', got 'l r'"),
    (GRID + "seed=[1]", "grid cannot hold 'seed'"),
    (GRID + "", "grid is empty"),
    (GRID + "rl=[1]\n", "'rl' is no parameter of own.py:train; closest: 'lr'"),
    (GRID + "width=[1]", "own.py:train needs lr"),
    ("train='own.py:seedless'", "own.py:seedless takes no seed, which every run has; give it a parameter"),
    ("train='own.py:train'\ngrid=[1]", "grid is a table of names and values, got [1]"),
    ("train='own.py:train'\n[settings]\nlr=1\n[grid]\nlr=[1]", "lr stands in [settings] and in [grid]"),
    (GRID + "lr=[1]\n[random]\nruns=1", "a sweep has one of grid, random, cells, got grid and random"),
    ("train='own.py:train'\ncells=[]", "cells is an empty list"),
    ("train='own.py:train'\n[[cells]]\nlr=1\n[[cells]]\nlr=1", "cells holds {'lr': 1} twice"),
    ("train='own.py:train'\n[random]\nlr=[1]", "random needs runs"),
    ("train='own.py:train'\n[random]\nruns=0\nlr=[1]", "runs of random is a whole number from 1"),
    ("train='own.py:train'\n[random]\nruns=3\nlr=[1]", "random draws 1 different cells at most"),
    ("train='own.py:train'\n[random]\nruns=3\nlr={low=1}", "a range has low and high"),
    ("train='own.py:train'\n[random]\nruns=3\nlr={low=2, high=1}", "low of lr is below its high"),
    ("train='own.py:train'\n[random]\nruns=3\nlr={low=0, high=1, log=true}", "low of lr is above 0"),
    ("train='own.py:train'\n[random]\nruns=3\nlr={low=0, hihg=1}", "'hihg' is no key of the range lr"),
    ("train='own.py:train'\nseeds=0", "seeds, if no list, is a whole number from 1"),
    ("train='own.py:train'\nseeds=[-1]", "each seed is a whole number from 0"),
    ("train='own.py:train'\nseeds=[1, 1]", "seeds holds 1 twice"),
    ("train='own.py:train'\nseeds=true", "seeds, if no list, is a whole number"),
    ("train='own.py:train'\nworkers=0", "workers is a whole number from 1"),
    ("train='own.py:train'\nseeds=70000\n[grid]\nlr=[1, 2]", "at most 100,000 runs, got 140,000"),
    (GRID + "\n".join(f"{n}={list(range(40))}" for n in ("lr", "a", "b", "c")), "the grid has 2,560,000"),
    ("train='own.py:train'\nexperiment=''", "experiment is a text, got ''"),
    ("train='own.py:train'\n[settings]\nlr=1\n[stop]\nafter='generalization'", "stop is for experiments"),
    (OURS + "[stop]\nafter='grokking'", "'grokking' is no kind of event"),
    (OURS + "[stop]\nafter='generalization'\nfactor=0.5", "factor of stop is 1 or more, got 0.5"),
    (OURS + "[settings]\nweigth_decay=1", "closest: 'weight_decay'"),
    (OURS + "[settings]\ngroup='g'", "'group' is no setting of modular-arithmetic"),
    (OURS + "[settings]\nsteps=1.5", "steps is a whole number, got 1.5"),
    (OURS + "[settings]\nlr='fast'", "lr is a number, got 'fast'"),
    (OURS + "[settings]\nsteps=true", "steps is a whole number, got True"),
    (OURS + "[settings]\nsteps=0", "steps is at least 1, got 0"),
    (OURS + "[settings]\noptimizer='lion'", "optimizer is adamw, adam, sgd or muon, got 'lion'"),
    (OURS + "[settings]\nloss='l2'", "loss is cross_entropy, stablemax, hinge or mse, got 'l2'"),
    (OURS + "[settings]\nlr=-1", "lr is above 0, got -1.0"),
    (OURS + "[grid]\nlr=[1, 1.0]", "the sweep holds {'lr': 1.0} twice"),
    ("command=['a', '{lr}']", "'lr' is no setting, so nothing fills this placeholder of command"),
    ("command=['a']\n[settings]\nlr=1", "command does not use lr; write {lr} where it belongs"),
    ("command=['a']\nseeds=2", "command does not use the seed"),
    ("command=['{']", "is no text with placeholders"),
    ("command=['{a.b}']", "a placeholder of command is a name, as {lr}"),
    ("command=[]", "command is an empty list"),
    ("command=['a', 1]", "each word of command is a text, got 1"),
    ("command='\"'", "command cannot be split into words"),
    ("train = ", "it is no TOML"),
    (GRID + f"lr=[1{'0' * 400}]", "each lr is a finite number, got 1000"),
    (GRID + f"lr=[0x{'f' * 6000}]", "each lr is a finite number, got 0xffff"),
    (f"train='own.py:train'\nseeds=0x{'f' * 6000}", "is a whole number from 1 to 100,000, got 0xffff"),
    (GRID + 'lr=["\\u0000"]', "each lr is a text that a program can be told"),
    ("train='own.py:train'\n[random]\nruns=50000\nlr=[1, 2]", "random draws 2 different cells at most"),
    ("train=':f'", "'' is no name of a module"),
    ("train='..:f'", "'..' is no name of a module"),
    (f"train='{'a' * 5000}.py:f'", "is not there"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), BAD)
def test_a_bad_sweep_gets_one_sentence(read, content, sentence):
    with pytest.raises(ConfigError) as error:
        read(content)
    assert sentence in str(error.value)
    assert str(error.value).count("\n") == 0


LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", "", "a file that ends in .toml, .json, .yaml, .yml"),
        ("a.json", '{"train": 1, "train": 2}', "a table holds 'train' twice"),
        ("a.json", "[]", "a sweep is a table of names and values, got []"),
        ("a.json", '{"train": "own.py:train", "grid": {"lr": [NaN]}}', "each lr is a finite number, got nan"),
        ("a.json", "[" * 100_000, "it is no JSON"),
        ("a.yml", "a: [", "it is no YAML"),
        ("a.yml", "seeds: 1\nseeds: 2", "a table holds 'seeds' twice"),
        ("a.yml", "command: t\ngrid: {lr: &a [*a]}", "each lr is a text, a number, true or false, got [["),
        ("a.yml", LAUGHS, "'a0' is no key of a sweep"),
        ("a.yml", "on: 1", "a sweep has names of letters, digits and '_', got True"),
    ],
)
def test_a_file_that_says_nothing_of_a_sweep_is_refused(read, name, content, sentence):
    with pytest.raises(ConfigError) as error:
        read(content, name)
    assert sentence in str(error.value)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: it cannot be read \(No such file or directory\)"):
        read_config(tmp_path / "none.toml")


def test_a_named_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.toml")
    with pytest.raises(ConfigError, match="it is no plain file"):
        read_config(tmp_path / "a.toml")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "command: t\nstore: 'postgresql://ann:s3cret@db/mlflow\n"),
        ("a.json", json.dumps(["postgresql://ann:s3cret@db/" + "x" * 80])),
    ],
)
def test_what_is_wrong_is_said_without_the_secrets_of_the_file(read, name, content):
    with pytest.raises(ConfigError, match="postgresql://db/") as error:
        read(content, name)
    assert "s3cret" not in str(error.value)


def test_what_yaml_has_in_quotes_stays_a_text_and_what_is_merged_may_be_said_again(read):
    config = read(
        "train: own.py:train\nsettings: {width: '1e3'}\n"
        "cells:\n- &a {lr: 1e3}\n- <<: *a\n  lr: 2e-3\n", "a.yaml"
    )  # fmt: skip
    assert [cell.settings for cell in config.cells] == [
        {"width": "1e3", "lr": 1000.0},
        {"width": "1e3", "lr": 0.002},
    ]
