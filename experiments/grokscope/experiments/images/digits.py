"""scikit-learn's bundled images of digits.

scikit-learn is no part of the extra ``torch``: most experiments make their data.
"""

import importlib
from typing import Any

import torch

from grokscope.experiments.training.batches import Split
from grokscope.experiments.training.splits import random_split

PIXELS, CLASSES = 64, 10


def all_digits() -> Split:
    """Return the 1,797 images [N, 1, 8, 8], in 0..1, and the digits 0..9 [N], in scikit-learn's order.

    Raises:
        ImportError: If scikit-learn is not installed.

    >>> images, digits = all_digits()
    >>> images.shape, images.max(), digits[:3]
    (torch.Size([1797, 1, 8, 8]), tensor(1.), tensor([0, 1, 2]))
    """
    try:
        datasets: Any = importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise ImportError(
            "the images of digits come with scikit-learn, which is not installed: pip install scikit-learn"
        ) from error
    bunch = datasets.load_digits()
    return torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 16, torch.tensor(bunch.target)


def split_digits(count: int, seed: int) -> tuple[Split, Split]:
    """Return ``count`` images to train on, drawn at random, and the others: [N, 64] in 0..1, and 0..9.

    Args:
        count: Images to train on.
        seed: Of the split.

    Raises:
        ValueError: If ``count`` leaves no image on a side.
        ImportError: If scikit-learn is not installed.

    >>> train, test = split_digits(200, seed=0)
    >>> train[0].shape, test[1].shape
    (torch.Size([200, 64]), torch.Size([1597]))
    """
    images, digits = all_digits()
    if not 0 < count < len(digits):
        raise ValueError(f"train_images is 1 to {len(digits) - 1}, got {count}")
    return random_split((images.flatten(1), digits), count, seed=seed)
