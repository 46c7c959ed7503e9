"""The words of metrics' names: what other people call a score, a split, and how a score was taken."""

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCORE_NAMES: Mapping[str, str] = {
    "accuracy": "acc accs accuracies",
    "normalized_accuracy": "acc_norm acc_normalized accuracy_norm",
    "token_accuracy": "token_acc tok_acc",
    "macro_accuracy": "balanced_accuracy balanced_acc bal_acc bacc",
    "error": "errors err errs error_rate err_rate misclassification zero_one_loss classification_error "
    "merror",
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
    "map50": "ap50",
    "map75": "ap75",
    "mrr": "mean_reciprocal_rank",
    "hits": "hit_rate hit_ratio",
    "iou": "miou mean_iou jaccard jaccard_index",
    "dice": "dice_coefficient dice_coef",
    "exact_match": "em exact full_match",
    "success_rate": "success success_once solve_rate win_rate winrate pass_rate is_success",
    "bleu": "sacrebleu",
    "rougel": "rouge_l",
    "rougelsum": "rouge_lsum",
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
    "train": "train training trn tr fit learn",
    "test": "test testing tst te heldout holdout held hold",
    "val": "val vali valid validation eval evaluation dev",
}
"""Split -> words that name it."""
SPLIT_OF: Mapping[str, str] = {word: split for split, words in SPLIT_NAMES.items() for word in words.split()}
EVALUATED = frozenset({"eval", "evaluation"})
"""Said of any set that is evaluated, the training set too: ``eval_train_accuracy``."""
HINTS: Mapping[str, tuple[str, str]] = {
    "out of distribution": ("test", "ood"),
    "out of domain": ("test", "ood"),
    "in distribution": ("test", ""),
    "in domain": ("test", ""),
    "unseen": ("test", ""),
    "seen": ("train", ""),
    "ood": ("test", "ood"),
    "iid": ("test", ""),
    "id": ("test", ""),
    "rollout": ("train", ""),
    "exploration": ("train", ""),
}
"""Words that tell a set by convention -> its split and shifted set, where no word names a split outright."""
SHIFTED: Mapping[str, str] = {
    "out of distribution": "ood",
    "out of domain": "ood",
    "ood": "ood",
    "unseen": "unseen",
}
"""Words that tell a shifted set beside the name of a split: ``val_unseen`` is one beside ``val_seen``."""
QUALIFIERS = _words(
    "mean avg average median total overall all running smooth smoothed ema raw current last final epoch "
    "epochs step steps iter iters iterations iteration batch batches minibatch batchwise ep episode "
    "episodic macro micro weighted per token tokens byte char word seq sequence sample samples example "
    "examples percent pct percentage data dataset set split in of on out inner metric metrics scalar "
    "scalars log logs curve curves chart charts vs summary perf result results none binary single multi "
    "label categorical multiclass multilabel sparse language lm len"
)
"""Words that say how a score was taken, not what it is; they may stand before and behind it."""
NO_CURVE = _words(
    "best max min std var variance stderr sem ci lower upper target goal threshold baseline weight "
    "weights scale scaler scaling coef coeff coefficient factor ratio gap diff difference delta hparam "
    "hparams hp config param params count num number time seconds second runtime patience norm grad "
    "gradient gradients lr momentum rank index version slope trend change improvement chosen rejected"
)
"""Words that make a name another thing than a curve of a score: a spread, a setting, the best so far."""
COMPONENTS = _words(
    "box obj cls dfl bbox mask rpn seg aux kl kld reg regularization recon reconstruction rec adv gan "
    "gen disc generator discriminator policy value actor critic entropy mlm nsp clm contrastive itc itm "
    "triplet center commit commitment vq codebook perceptual style content cycle identity l1 l2 smooth "
    "wd weight decay distill distillation kd align alignment consistency orth sparsity balance router "
    "load z d g pg vf qf q v q1 q2 alpha temperature objectness giou ciou ctc att attention mel "
    "duration pitch stop feature depth normal edge flow image text audio head main base physics pde bc "
    "ic dice iou clip nav"
)
"""Words that name a term of a loss, not a set that it was measured on."""
NO_TASK = _words("layer layers block blocks head heads expert experts probe probes module fold rank")
"""Words for a part of the model or of the procedure, not for a task."""
TASK_SCORES = _words(
    "accuracy normalized_accuracy macro_accuracy exact_match f1 mrr mcc perplexity bleu rouge"
)
"""What benchmarks report of a task, in names that hold a task and a score and no split."""
