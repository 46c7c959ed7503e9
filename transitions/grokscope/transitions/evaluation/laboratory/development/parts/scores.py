"""Scores: what people call them, and how a share of the possible is written in each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grokscope.transitions.curves.series import Floats

Pair = tuple[str, str]
"""Names of the training curve and of the held-out curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A kind of score.

    Attributes:
        names: Pairs of names under which people log it.
        express: A share of the possible (0 worst, 1 best) as it is logged, shape (n,) -> (n,).
    """

    names: tuple[Pair, ...]
    express: Callable[[Floats], Floats]

    def pair(self, rng: np.random.Generator) -> Pair:
        """Return one pair of names."""
        return self.names[int(rng.integers(len(self.names)))]


def scaled(start: float, best: float) -> Callable[[Floats], Floats]:
    """Return the straight line that writes a share of 0 as ``start`` and of 1 as ``best``.

    >>> scaled(4.0, 2.0)(np.array([0.0, 0.5])).tolist()
    [4.0, 3.0]
    """
    return lambda share: start + (best - start) * share


ACCURACIES: tuple[Pair, ...] = (
    ("train/accuracy", "test/accuracy"),
    ("train_acc", "val_acc"),
    ("accuracy", "val_accuracy"),
    ("Train Accuracy", "Test Accuracy"),
    ("trainAcc", "valAcc"),
    ("train/acc", "eval/acc"),
    ("train_accuracy", "eval_accuracy"),
    ("acc/train", "acc/test"),
    ("Accuracy/train", "Accuracy/validation"),
    ("training accuracy", "validation accuracy"),
    ("categorical_accuracy", "val_categorical_accuracy"),
    ("sparse_categorical_accuracy", "val_sparse_categorical_accuracy"),
    ("train/MulticlassAccuracy", "val/MulticlassAccuracy"),
    ("train_BinaryAccuracy", "test_BinaryAccuracy"),
    ("trn_acc", "tst_acc"),
    ("train_accs", "test_accs"),
    ("train/prec@1", "val/prec@1"),
    ("train_acc1", "test_acc1"),
    ("train/top1", "val/top1"),
    ("train_acc_epoch", "val_acc_epoch"),
    ("train_acc", "val_acc/dataloader_idx_0"),
    ("seen_acc", "unseen_acc"),
    ("metrics/train_accuracy_score", "metrics/test_accuracy_score"),
    ("train_seq_acc", "valid_seq_acc"),
)
ACCURACY = Score(names=ACCURACIES, express=scaled(0.0, 1.0))
PER_CENT = Score(names=ACCURACIES, express=scaled(0.0, 100.0))
ERRORS: tuple[Pair, ...] = (
    ("train_error", "test_error"),
    ("train/err", "val/err"),
    ("train_err", "valid_err"),
    ("train/error_rate", "val/error_rate"),
    ("Train Error", "Test Error"),
    ("train/top1_err", "test/top1_err"),
)
ERROR = Score(names=ERRORS, express=scaled(1.0, 0.0))
ERROR_PER_CENT = Score(names=ERRORS, express=scaled(100.0, 0.0))
F1 = Score(
    names=(("train_f1", "val_f1"), ("train/f1_macro", "eval/f1_macro"), ("train_macro_f1", "dev_macro_f1")),
    express=scaled(0.0, 1.0),
)
EXACT_MATCH = Score(
    names=(("train_em", "dev_em"), ("train/exact_match", "eval/exact_match"), ("train_EM", "test_EM")),
    express=scaled(0.0, 1.0),
)
SUCCESS = Score(
    names=(("train/success_rate", "eval/success_rate"), ("train_success", "test_success")),
    express=scaled(0.0, 1.0),
)
R2 = Score(
    names=(("train_r2", "test_r2"), ("train/R2Score", "val/R2Score"), ("r2_score", "val_r2_score")),
    express=scaled(-0.2, 1.0),
)
MRR = Score(names=(("train_mrr", "valid_mrr"), ("train/MRR", "test/MRR")), express=scaled(0.0, 1.0))
MARGIN = Score(
    names=(("train_margin", "test_margin"), ("margin/train", "margin/val")), express=scaled(-4.0, 9.0)
)
PERPLEXITIES: tuple[Pair, ...] = (
    ("train_ppl", "val_ppl"),
    ("train/perplexity", "valid/perplexity"),
    ("ppl", "valid_ppl"),
)
BITS: tuple[Pair, ...] = (("train_bpb", "val_bpb"), ("train/bpc", "valid/bpc"), ("train_bpd", "test_bpd"))
LOSSES: tuple[Pair, ...] = (
    ("train/loss", "val/loss"),
    ("train_loss", "test_loss"),
    ("loss", "val_loss"),
    ("Loss/train", "Loss/test"),
    ("training loss", "validation loss"),
    ("train_loss_epoch", "val_loss"),
    ("train/cross_entropy", "eval/cross_entropy"),
)
