"""What people call the training and the held-out curve of a score."""

from collections.abc import Mapping

ACCURACY = (
    ("accuracy", "val_accuracy"),
    ("acc", "val_acc"),
    ("sparse_categorical_accuracy", "val_sparse_categorical_accuracy"),
    ("train_acc", "val_acc"),
    ("train_acc", "test_acc"),
    ("train/acc", "val/acc"),
    ("train/accuracy", "test/accuracy"),
    ("train_accuracy", "eval_accuracy"),
    ("train_acc_epoch", "val_acc_epoch"),
    ("train/MulticlassAccuracy", "val/MulticlassAccuracy"),
    ("Accuracy/train", "Accuracy/test"),
    ("Train/Acc", "Test/Acc"),
    ("training_accuracy", "validation_accuracy"),
    ("tr_acc", "te_acc"),
    ("train.top1", "valid.top1"),
)
PER_CENT = (
    ("train_acc1", "test_acc1"),
    ("train_prec1", "val_prec1"),
    ("train/top1", "val/top1"),
    ("train_acc_pct", "test_acc_pct"),
    ("Train Accuracy (%)", "Test Accuracy (%)"),
    ("train acc", "test acc"),
)
ERROR = (
    ("train_err", "val_err"),
    ("train/error", "test/error"),
    ("train_error_rate", "valid_error_rate"),
    ("Error/train", "Error/test"),
    ("train_wer", "dev_wer"),
)
F1 = (
    ("train_f1", "val_f1"),
    ("train/f1_macro", "eval/f1_macro"),
    ("train_BinaryF1Score", "val_BinaryF1Score"),
    ("f1_score", "val_f1_score"),
)
EXACT_MATCH = (
    ("train_exact_match", "eval_exact_match"),
    ("train/em", "dev/em"),
    ("train_seq_acc", "test_seq_acc"),
)
SUCCESS = (("train/success_rate", "eval/success_rate"), ("train_pass_rate", "test_pass_rate"))
RANKING = (("train_mrr", "valid_mrr"), ("train/mrr", "test/mrr"), ("train/ndcg@10", "val/ndcg@10"))
AREA = (("train_auc", "val_auc"), ("auc", "val_auc"), ("train/auroc", "test/auroc"))
FIT = (("train_r2", "val_r2"), ("train/r2", "test/r2"), ("r2_score", "val_r2_score"))
MARGIN = (("train/margin", "test/margin"), ("train_margin", "val_margin"))
LOSS = (
    ("loss", "val_loss"),
    ("train_loss", "val_loss"),
    ("loss", "eval_loss"),
    ("train/loss", "eval/loss"),
    ("train/loss", "test/loss"),
    ("Loss/train", "Loss/test"),
    ("train_loss_epoch", "val_loss_epoch"),
    ("training_loss", "validation_loss"),
    ("train_ce", "valid_ce"),
)
PERPLEXITY = (("train_ppl", "valid_ppl"), ("train/perplexity", "val/perplexity"), ("ppl", "val_ppl"))
BITS = (("train_bpc", "valid_bpc"), ("train/bpb", "val/bpb"), ("train_bits_per_char", "test_bits_per_char"))

SCORES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "accuracy": ACCURACY,
    "per_cent": PER_CENT,
    "error": ERROR,
    "error_per_cent": ERROR,
    "f1": F1,
    "exact_match": EXACT_MATCH,
    "success": SUCCESS,
    "ranking": RANKING,
    "area": AREA,
    "fit": FIT,
    "margin": MARGIN,
}
"""Kind of a score -> names of its training and held-out curve."""
LOSSES: Mapping[str, tuple[tuple[str, str], ...]] = {"loss": LOSS, "perplexity": PERPLEXITY, "bits": BITS}
"""Kind of a loss -> names of its training and held-out curve."""

UNPAIRED_SCORES = (
    "induction/prefix_score",
    "prefix_matching_score",
    "copy_score",
    "probe/selectivity",
    "icl_score",
    "fourier_power_ratio",
    "symbolic_rule_rate",
)
"""Scores of no set that anybody trains on."""
REWARDS = (
    "rollout/ep_rew_mean",
    "charts/episodic_return",
    "episode_reward_mean",
    "eval/mean_reward",
    "train/return",
    "reward",
)
TASKS = ("add", "sub", "mul", "copy", "reverse", "sort", "parity", "lookup", "mnli", "qnli", "sst2", "boolq")
SHIFTS = ("ood", "shift", "cifar10_c", "longer", "newsgroups", "unseen_subjects")
