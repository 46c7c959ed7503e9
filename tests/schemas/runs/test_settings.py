"""A configuration of any shape becomes flat text, and none of its secrets survives."""

import argparse
import enum
import types
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from grokscope.schemas.runs.settings import flat_settings


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


class Slotted:
    __slots__ = ()


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


@pytest.mark.parametrize("config", ["abc", 5, [1], None, dict, Slotted()])
def test_what_is_no_configuration_is_said_so(config):
    with pytest.raises(TypeError, match="config is a mapping"):
        flat_settings(config)
