"""Texts that need no download: those of Python's own library."""

import importlib
import importlib.util
from pathlib import Path

import torch
from torch import Tensor


def python_help() -> Tensor:
    """Return the text behind Python's ``help()`` as codes of ASCII characters; it depends on the version.

    >>> bool(python_help().max() < 128), len(python_help()) > 100_000
    (True, True)
    """
    topics: dict[str, str] = importlib.import_module("pydoc_data.topics").topics
    return _codes("\n".join(topics[name] for name in sorted(topics)))


def python_source(module: str) -> Tensor:
    """Return the source of a module of Python's library as codes of ASCII characters.

    Raises:
        FileNotFoundError: If it has no file.

    >>> bytes(python_source("argparse")[:8].tolist())
    b'# Author'
    """
    return _codes(_source_of(module))


def _source_of(module: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"Python's library has no file of its module {module}")
    return Path(spec.origin).read_text(encoding="utf-8")


def _codes(text: str) -> Tensor:
    return torch.tensor(list(text.encode("ascii", "ignore")))
