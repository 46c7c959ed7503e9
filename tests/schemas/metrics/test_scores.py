import pytest

from grokscope.schemas import SCORES, Direction, Scale, Score, metric, score_of, spelled_out


def read(name):
    score = score_of(name)
    return None if score is None else (score.quantity, score.higher_is_better)


@pytest.mark.parametrize(
    ("name", "quantity", "is_up"),
    [
        ("ind_acc", "accuracy", True),
        ("accuracy/top1", "accuracy", True),
        ("prec@1", "accuracy", True),
        ("prec@5", "top5_accuracy", True),
        ("acc_top5", "top5_accuracy", True),
        ("top5_error", "top5_error", False),
        ("sparse_top_k_categorical_accuracy", "top_k_accuracy", True),
        ("f1_score", "f1", True),
        ("roc_auc_score", "auc", True),
        ("val_brier_score", "brier", False),
        ("neg_mean_squared_error", "negative_mean_squared_error", True),
        ("neg_log_loss", "negative_log_loss", True),
        ("val_neg_loss", "loss", False),
        ("negative_log_likelihood", "loss", False),
        ("val_log_likelihood", "log_likelihood", True),
        ("metrics/mAP50-95(B)", "map", True),
        ("metrics/mAP_0.5", "map50", True),
        ("rollout/ep_rew_mean", "reward", True),
        ("rewards/margins", "margin", True),
        ("recall@10", "recall_at_10", True),
        ("val_loss/dataloader_idx_1", "loss", False),
        ("Accuracy/train (%)", "accuracy", True),
        ("lambada_openai/ppl", "perplexity", False),
        ("test/log_probability_q50", "log_probability_q50", True),
        ("train/batch_loss", "batch_loss", False),
    ],
)
def test_the_last_words_of_a_name_that_mean_something_tell_the_score_and_its_better_side(
    name, quantity, is_up
):
    assert read(name) == (quantity, is_up)


@pytest.mark.parametrize(
    "name",
    [
        *("lr", "loss_scale", "val_loss_weight", "reward_std", "acc_stderr", "acc_grad_batches", "grad_norm"),
        *("train_samples_per_second", "train_runtime", "loss_gap", "policy_entropy", "acc2", "epoch", ""),
        *("weights/norm", "test/temperature", "progress/tokens"),
    ],
)
def test_what_has_no_better_side_or_is_told_about_a_score_is_no_score(name):
    assert score_of(name) is None


@pytest.mark.parametrize("split", ["train", "test", "shift:far"])
@pytest.mark.parametrize(
    "quantity", [*SCORES, "top5_accuracy", "recall_at_10", "negative_mean_squared_error"]
)
def test_a_score_is_read_back_from_its_key(split, quantity):
    score = score_of(f"{split}/{quantity}")
    assert score is not None
    assert score.quantity == quantity


@pytest.mark.parametrize("key", [key for key in spelled_out() if key.startswith("val/")])
def test_a_key_of_the_table_of_metrics_keeps_the_direction_that_the_table_gives(key):
    direction = metric(key).direction
    assert read(key) == (None if direction is Direction.NONE else (key[4:], direction is Direction.UP))


def test_the_name_tells_the_scale_and_the_ends_where_it_can():
    assert [score_of(f"val/{name}") for name in ("accuracy", "perplexity", "r2")] == [
        Score(quantity="accuracy", higher_is_better=True, scale=Scale.SHARE, best=1.0),
        Score(quantity="perplexity", higher_is_better=False, scale=Scale.POSITIVE, best=1.0),
        Score(quantity="r2", higher_is_better=True, scale=Scale.UNBOUNDED, start=0.0, best=1.0),
    ]
