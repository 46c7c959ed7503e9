"""Data that needs no download: scikit-learn's bundled images and tables, and pieces of Python's library.

scikit-learn comes with the extra ``dev``.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from sklearn import datasets
from torch import Tensor

from grokscope.experiments.images.digits import all_digits
from grokscope.experiments.sequences.texts import python_source
from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.splits import random_split

DIGITS_TRAINED_ON = 1000
_TABLES: Mapping[str, Any] = {
    "breast cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
    "wine": datasets.load_wine,
}
_SOURCES = ("argparse", "turtle", "_pydecimal", "statistics", "pydoc_data.topics")
_SNIPPETS = 300
_CHARACTERS = 60
_BUCKETS = 1024


def digits() -> tuple[Split, Split]:
    """Return scikit-learn's 1,797 images of digits as (train, held out): [N, 1, 8, 8] in 0..1, and 0..9.

    >>> (images, targets), held_out = digits()
    >>> images.shape, held_out[1].shape
    (torch.Size([1000, 1, 8, 8]), torch.Size([797]))
    """
    return divided(all_digits(), DIGITS_TRAINED_ON)


def table(name: str, count: int) -> tuple[Split, Split]:
    """Return a bundled table as (train, held out), its columns standardized on the ``count`` training rows.

    Args:
        name: ``breast cancer``, ``diabetes`` or ``wine``.
        count: Rows to train on.

    >>> (rows, targets), held_out = table("wine", 100)
    >>> rows.shape, held_out[0].shape, targets.dtype
    (torch.Size([100, 13]), torch.Size([78, 13]), torch.int64)
    """
    bunch = _TABLES[name]()
    return standardized(divided((torch.tensor(bunch.data).float(), torch.tensor(bunch.target)), count))


def rare_positives() -> tuple[Split, Split]:
    """Return 4,000 drawn rows of which one in twenty is positive, as (train, held out).

    >>> (rows, targets), held_out = rare_positives()
    >>> rows.shape, round(targets.float().mean().item(), 2)
    (torch.Size([2500, 20]), 0.05)
    """
    drawn = cast("Any", datasets.make_classification)(
        n_samples=4000, n_informative=6, weights=[0.95], class_sep=1.2, flip_y=0.01, random_state=0
    )
    return standardized(divided((torch.tensor(drawn[0]).float(), torch.tensor(drawn[1])), 2500))


def divided(data: Split, count: int) -> tuple[Split, Split]:
    """Return ``count`` examples, drawn at random but always the same, and the others."""
    return random_split(data, count, seed=0)


def standardized(splits: tuple[Split, Split]) -> tuple[Split, Split]:
    """Return the splits with the columns of the first at mean 0 and deviation 1."""
    (rows, targets), (others, held_out) = splits
    mean, deviation = rows.mean(dim=0), rows.std(dim=0).clamp(min=1e-6)
    return ((rows - mean) / deviation, targets), ((others - mean) / deviation, held_out)


def snippets() -> tuple[Split, Split]:
    """Return pieces of five files of Python's library as (train, held out): counts of trigrams, which file.

    >>> (counts, files), _ = snippets()
    >>> counts.shape, sorted(set(files.tolist()))
    (torch.Size([1000, 1024]), [0, 1, 2, 3, 4])
    """
    generator = torch.Generator().manual_seed(0)
    counts: list[Tensor] = []
    for name in _SOURCES:
        text = python_source(name)
        starts = torch.randint(len(text) - _CHARACTERS, (_SNIPPETS,), generator=generator)
        counts += [_trigrams(text[int(start) : int(start) + _CHARACTERS]) for start in starts]
    files = torch.arange(len(_SOURCES)).repeat_interleave(_SNIPPETS)
    return divided((torch.stack(counts), files), 1000)


def _trigrams(codes: Tensor) -> Tensor:
    buckets = (codes[:-2] * 961 + codes[1:-1] * 31 + codes[2:]) % _BUCKETS
    return torch.bincount(buckets, minlength=_BUCKETS).float()
