"""The words of metrics' names: what other people call a score, a split, and how a score was taken."""

from collections.abc import Mapping

SCORE_NAMES: Mapping[str, str] = {
    "accuracy": "acc accs accuracies",
    "normalized_accuracy": "acc_norm acc_normalized accuracy_norm",
    "token_accuracy": "token_acc tok_acc",
    "macro_accuracy": "balanced_accuracy balanced_acc bal_acc bacc",
    "error": "errors err errs error_rate err_rate misclassification zero_one_loss classification_error",
    "loss": "losses ce nll xent crossentropy cross_entropy log_loss logloss bce objective "
    "negative_log_likelihood neg_log_likelihood",
    "bits": "bpb bpc bpt bpw bpd bits_per_byte bits_per_char bits_per_character bits_per_token "
    "bits_per_word bits_per_dim",
    "perplexity": "perplexities ppl word_perplexity byte_perplexity",
    "mse": "mean_squared_error squared_error mean_square_error",
    "rmse": "root_mean_squared_error root_mean_square_error",
    "mae": "mean_absolute_error absolute_error l1_error",
    "mape": "smape mean_absolute_percentage_error",
    "r2": "rsquared r_squared coefficient_of_determination",
    "explained_variance": "explained_var",
    "correlation": "corr corrcoef pearson pearsonr pearson_corrcoef spearman spearmanr "
    "spearman_corrcoef kendall",
    "mcc": "matthews_correlation matthews_corrcoef",
    "kappa": "cohen_kappa qwk",
    "f1": "fscore f_score fbeta f_measure",
    "precision": "prec",
    "recall": "sensitivity tpr",
    "specificity": "tnr",
    "auc": "auroc roc_auc auc_roc rocauc roc",
    "average_precision": "auprc pr_auc auc_pr ap",
    "map": "mean_average_precision",
    "mrr": "mean_reciprocal_rank",
    "hits": "hit_rate hit_ratio",
    "iou": "miou mean_iou jaccard jaccard_index",
    "dice": "dice_coefficient dice_coef",
    "exact_match": "em exact full_match",
    "success_rate": "success success_once solve_rate win_rate winrate pass_rate is_success",
    "bleu": "sacrebleu",
    "rouge": "rouge1 rouge2 rougel rouge_l rougelsum",
    "wer": "word_error_rate",
    "cer": "char_error_rate character_error_rate",
    "calibration_error": "ece",
    "brier": "brier_score brier_score_loss",
    "edit_distance": "levenshtein levenshtein_distance",
    "log_likelihood": "loglikelihood log_prob logprob logprobs",
    "reward": "rewards rew return returns",
    "score": "scores",
    "margin": "margins",
}
"""Quantity -> its other names, their words joined by underscores."""

SPLIT_NAMES: Mapping[str, str] = {
    "train": "train training trn tr fit seen",
    "test": "test testing tst te heldout holdout unseen",
    "val": "val valid validation eval evaluation dev",
    "shift:ood": "ood",
}
"""Split -> words that name it."""
JOINING = frozenset(
    {"in", "of", "on", "distribution", "id", "iid", "inner", "held", "out", "hold", "set", "split"}
)
"""Words that join the name of a split to the rest: ``held out``, ``in distribution``."""
QUALIFIERS = frozenset(
    word
    for words in (
        "mean avg average median total overall all running smooth smoothed ema raw current",
        "final last best max",
        "epoch epochs step steps iter iters iteration batch batches ep episode episodic macro micro weighted",
        "per token tokens byte char word seq sequence sample samples example examples percent pct percentage",
        "data dataset dataloader idx metric metrics value values scalar scalars log logs curve curves",
        "summary result results performance binary categorical multiclass multilabel sparse b m",
    )
    for word in words.split()
)
"""Words that say how a score was taken, not what it is; they may stand before and behind it."""
