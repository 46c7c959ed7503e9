"""A configuration of any shape becomes flat text, and none of its secrets survives."""

import argparse
import enum
import functools
import pathlib
import types
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import attrs
import numpy as np
import pydantic
import pytest
import torch

from grokscope.schemas.runs.settings import flat_settings, unreadable_settings


@dataclass
class Logger:
    name: str = "wandb"
    api_key: str = "canary"
    lock: object = field(default_factory=lambda: (n for n in "not copied"))


class Odd:
    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)

    def __str__(self) -> str:
        raise RuntimeError("no")


class Pair(NamedTuple):
    token: str
    width: int


class Keyed:
    """A mapping in all but name, as several configuration libraries have them."""

    def keys(self) -> list[str]:
        return ["password", "lr"]

    def __getitem__(self, key: str) -> object:
        return {"password": "canary", "lr": 0.1}[key]


SHAPES: dict[str, object] = {
    "a mapping": {"api_key": "canary"},
    "nested": {"a": {"b": {"c": {"HF_TOKEN": "canary"}}}},
    "a list of mappings": {"loggers": [{"api_key": "canary"}, {"lr": 1}]},
    "a tuple in a list": {"headers": [("Authorization", "canary"), ("a", "b")]},
    "a dataclass in a mapping": {"logger": Logger()},
    "dataclasses in a list": {"loggers": [Logger()]},
    "a namespace": argparse.Namespace(pwd="canary", sub=types.SimpleNamespace(passphrase="canary")),
    "a named tuple": {"pair": Pair("canary", 3)},
    "a mapping in all but name": {"keyed": Keyed()},
    "an address": {"dsn": "postgresql://u:canary@h/x", "urls": ["https://canary@h"]},
    "arguments": {"argv": ["--api-key", "canary", "--password=canary", "--lr", "1"]},
    "a command": {"command": "train.py --hub-token canary"},
    "name and value": {"env": [{"name": "HF_TOKEN", "value": "canary"}]},
    "text of JSON": {"raw": '{"api_key": "canary"}'},
    "text of an object": {"raw": repr(Logger("x", "canary", None))},
    "under a secret": {"credentials": {"user": "canary", "more": ["canary", {"x": "canary"}]}},
    "bytes": {"raw": b"password=canary", "secret": b"canary"},
    "a set": {"urls": {"https://canary@h"}},
    "as a key": {"https://canary@h": 1},
    "of no known door": {"ci_job_token": "x7Canary9fLm", "zhipu_key": "x7Canary9fLm"},
    "many": {"hf_tokens": ["canary"], "openai_keys": ["canary"], "creds": "canary"},
    "Name and Value": {"a": {"Name": "password", "Value": "canary"}, "b": {"id": "pwd", "content": "canary"}},
    "YAML": {"raw": "a: 1\npassword: >-\n  canary\n  canary\npasswords:\n- canary\n- canary\nlr: 1\n"},
    "deeper than is looked": {"a": [[[[[[[[[[[[[[{"api_key": "canary"}]]]]]]]]]]]]]]},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_lets_a_secret_through(shape):
    settings = flat_settings(SHAPES[shape])
    assert settings
    assert "canary" not in repr(settings).lower()


def test_what_is_no_secret_is_all_there():
    class Kind(enum.Enum):
        A = 1

    config = {
        "lr": 0.1,
        "betas": (0.9, 0.98),
        "kind": Kind.A,
        "none": None,
        "on": True,
        "empty": {},
        "pad_token": "<pad>",
    }
    assert flat_settings({"model": config, "layers": [{"width": 8}, {"width": 16}]}) == {
        "model.lr": "0.1",
        "model.betas": "(0.9, 0.98)",
        "model.kind": "Kind.A",
        "model.none": "None",
        "model.on": "True",
        "model.empty": "{}",
        "model.pad_token": "<pad>",
        "layers.0.width": "8",
        "layers.1.width": "16",
    }


def test_the_tokens_that_a_model_reads_are_no_secret():
    counts = {"max_tokens": 1, "tokens": 2, "tokens_per_batch": 3, "eos_token_id": 4, "tokenizer": "gpt2"}
    assert flat_settings(counts) == {name: str(value) for name, value in counts.items()}


def test_a_value_that_cannot_be_read_costs_itself_only():
    assert flat_settings({"odd": Odd(), "lr": 1}) == {"odd": "[unreadable: RuntimeError]", "lr": "1"}


def test_an_entry_that_cannot_be_had_costs_itself_only():
    class Missing(dict[str, object]):
        def __getitem__(self, key: str) -> object:
            if key == "missing":
                raise ValueError("must be set")
            return super().__getitem__(key)

    config = Missing(lr=1, missing=2)
    assert flat_settings(config) == {"lr": "1", "missing": "[unreadable: ValueError]"}


def test_what_is_left_out_of_a_large_configuration_is_said():
    settings = flat_settings({f"a{number}": number for number in range(2500)})
    assert len(settings) == 2001
    assert settings["settings"] == "the first 2000 are kept"


def test_a_configuration_that_contains_itself_ends():
    config: dict[str, object] = {"lr": 1}
    config |= {"a": config, "b": [config, config]}
    assert flat_settings(config)["lr"] == "1"


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ("a sentence", "a sentence"),
        (5, "5"),
        (["--lr", "0.1", "--api-key", "canary"], "['--lr', '0.1', '--api-key', '[withheld]']"),
        (len, "len"),
        (dict, "dict"),
    ],
)
def test_what_has_no_parts_is_kept_as_it_is(config, kept):
    assert flat_settings(config) == {"config": kept}


def test_no_configuration_is_no_setting():
    assert flat_settings(None) == {}


class Held:
    lr = 0.1
    activation = "relu"

    def __init__(self) -> None:
        self.width = 8
        self.loss = len

    @property
    def derived(self) -> int:
        raise RuntimeError

    def method(self) -> None: ...


def test_an_object_is_told_by_its_attributes_and_those_of_its_class_wherever_it_stands():
    kept = {"lr": "0.1", "activation": "relu", "width": "8", "loss": "len"}
    assert flat_settings(Held()) == kept
    assert flat_settings(Held) == {"lr": "0.1", "activation": "relu"}
    assert flat_settings({"a": Held()}) == {f"a.{name}": text for name, text in kept.items()}
    module = types.ModuleType("settings")
    exec("import os\nlr = 0.1\ndef f(): ...", vars(module))
    assert flat_settings(module) == {"lr": "0.1"}


def test_classes_of_other_libraries_are_told_by_their_fields():
    class Old:  # as pydantic 1 has them
        __fields__: ClassVar = {"lr": None}
        lr = 1

    @attrs.define
    class Defined:
        lr: int = 1

    class Model(pydantic.BaseModel):
        lr: int = 1

    @dataclass
    class Data:
        seen: ClassVar[int] = 3
        lr: int = 1

        @property
        def double(self) -> int:
            raise RuntimeError

    for config in (Old(), Defined(), Model(), Data()):
        assert flat_settings(config) == {"lr": "1"}
        assert flat_settings({"a": [config]}) == {"a.0.lr": "1"}


def test_values_are_told_as_people_write_them_and_without_addresses():
    config = {
        "path": pathlib.PurePosixPath("a/b"),
        "dtype": torch.bfloat16,
        "device": torch.device("cpu"),
        "scalar": np.float32(0.5),
        "tensor": torch.tensor(2.0),
        "small": np.arange(3),
        "large": np.zeros((20, 20)),
        "loss": torch.nn.functional.relu,
        "optimizer": functools.partial(torch.optim.AdamW, lr=0.1),
        "lambda": lambda: 1,
        "lock": object(),
        "mixed": [np.float64(0.5), pathlib.PurePosixPath("c"), torch.float16, np.arange(2)],
        3: {("a", 1): 2},
    }
    assert flat_settings(config) == {
        "path": "a/b",
        "dtype": "torch.bfloat16",
        "device": "cpu",
        "scalar": "0.5",
        "tensor": "2.0",
        "small": "[0, 1, 2]",
        "large": "numpy.ndarray of float64, shape (20, 20)",
        "loss": "torch.nn.functional.relu",
        "optimizer": "torch.optim.adamw.AdamW(lr=0.1)",
        "lambda": f"{__name__}.{test_values_are_told_as_people_write_them_and_without_addresses.__name__}"
        ".<locals>.<lambda>",
        "lock": "object",
        "mixed": "[0.5, 'c', 'torch.float16', [0, 1]]",
        "3.('a', 1)": "2",
    }


def test_what_cannot_be_read_is_named():
    class Missing(dict[str, object]):
        def __getitem__(self, key: str) -> object:
            raise ValueError(key)

    class Closed(dict[str, object]):
        def __iter__(self) -> Any:
            raise RuntimeError

    class Key:
        def __repr__(self) -> str:
            raise RuntimeError

    settings = flat_settings({"data": Missing(name=1), "closed": Closed(a=1), "lr": 1, Key(): 2})
    assert settings["lr"] == "1"
    found = {"data.name": "ValueError", "closed": "RuntimeError"}
    assert unreadable_settings(settings) == found
    assert settings["[unreadable: RuntimeError]"] == "2"
    assert unreadable_settings(flat_settings(Closed(a=1))) == {"config": "RuntimeError"}


def test_a_configuration_that_contains_itself_says_so_where_it_does():
    config: dict[str, object] = {"lr": 1}
    config["self"] = {"again": config}
    assert flat_settings(config) == {"lr": "1", "self.again": "[contains itself]"}
