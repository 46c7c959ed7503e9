"""A training whose configuration, data and store's address are full of secrets; each is told nobody."""

import argparse
import json
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from grokscope.collectors import Tracker

_given: list[str] = []


def canary() -> str:
    return _given.pop()


@dataclass
class Logger:
    api_key: str = field(default_factory=canary)
    url: str = field(default_factory=lambda: f"https://ann:{canary()}@h/x")


class Login(NamedTuple):
    user: str
    password: str


class Client:
    def __repr__(self) -> str:
        return f"Client(lr=0.1, wandb_key='{self.secret}')"

    def __init__(self) -> None:
        self.secret = canary()


def config() -> dict[str, object]:
    return {
        "mapping": {
            name: canary()
            for name in (
                "api_key", "HF_TOKEN", "pwd", "pass", "passphrase", "OPENAI_KEY", "ssh_key", "bearer", "auth",
                "dbPassword", "clientSecret", "private-key", "credentials", "AWS_SECRET_ACCESS_KEY", "cookie",
            )
        },
        "list of mappings": [{"lr": 1, "wandb_key": canary()}, {"deep": [{"deeper": {"token": canary()}}]}],
        "dataclass": [Logger(), {"logger": Logger()}],
        "namespace": argparse.Namespace(pwd=canary(), more=types.SimpleNamespace(secret=canary())),
        "tuple": Login("ann", canary()),
        "addresses": [
            f"postgresql://u:{canary()}@h", f"postgresql://h/d?user=u&password={canary()}", f"redis://:{canary()}/x@h:1",
            f"https://h/hook?access_token={canary()}#x",
        ],
        "argv": ["--api-key", canary(), f"--password={canary()}", "--lr", "1"],
        "command": f"train.py --hub-token {canary()} --lr 1",
        "env": [{"name": "HF_TOKEN", "value": canary()}],
        "headers": [("Authorization", f"Bearer {canary()}"), ("X-Api-Key", canary())],
        "text": json.dumps({"client_secret": canary(), "nested": {"api_key": canary()}}),
        "object": Client(),
        "set": {f"https://{canary()}@h/x"},
    }  # fmt: skip


def loader() -> Iterator[object]:
    raise OSError(f"cannot read postgresql://u:{canary()}@h/data with password='{canary()}'")
    yield


def main() -> None:
    _given.extend(json.loads(sys.stdin.read()))
    model = torch.nn.Linear(2, 2)
    data = (torch.randn(8, 2), torch.randint(2, (8,)))
    with Tracker(model, experiment="canaries", name="kept quiet", config=config()) as tracker:
        for step in range(50):
            tracker.log(step, {"train/batch_loss": 1 / (1 + step)})
        tracker.evaluate(50, train=data, test=loader())
    sys.stdout.write(f"{len(_given)} left")


if __name__ == "__main__":
    main()
