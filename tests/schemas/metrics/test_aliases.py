import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.schemas import canonical, guesses, resolve, spelled_out

NAMES = ("val_acc", "valid_acc", "val/accuracy", "eval_loss", "val/loss", "lr", "x", "test/accuracy", "loss")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("val_acc", "val/accuracy"),
        ("eval_loss", "val/loss"),
        ("eval/loss", "val/loss"),
        ("Train/Acc", "train/accuracy"),
        ("test_accuracy", "test/accuracy"),
        ("testAccuracy", "test/accuracy"),
        ("held_out.acc", "test/accuracy"),
        ("train_cross_entropy", "train/loss"),
        ("training loss", "train/loss"),
        ("accuracy/val", "val/accuracy"),
        ("dev-top1", "val/accuracy"),
        ("TrainNLL", "train/loss"),
        ("metrics/test_acc", "test/accuracy"),
        ("train/acc@1", "train/accuracy"),
        ("val_accuracy_pct", "val/accuracy"),
        ("eval_mean_token_accuracy", "val/accuracy"),
        ("lambada_openai/acc", "shift:lambada_openai/accuracy"),
        ("eval/hellaswag/accuracy", "shift:hellaswag/accuracy"),
        ("grad_norm", "gradients/norm"),
        ("train/grad_norm", "gradients/norm"),
        ("weights_l2", "weights/norm"),
        ("train/epoch", "progress/epochs"),
        ("num_input_tokens_seen", "progress/tokens"),
        ("consumed_tokens", "progress/tokens"),
        ("train/tokens", "progress/tokens"),
        ("n_tokens", "progress/tokens"),
        ("tokensSeen", "progress/tokens"),
        ("consumed_samples", "progress/examples"),
        ("images_seen", "progress/examples"),
        ("distinct_examples_seen", "progress/unique_examples"),
        ("repetitions", "progress/repetitions"),
    ],
)
def test_another_trackers_name_maps_to_the_same_curve_here(theirs, ours):
    assert canonical(theirs) == ours


@pytest.mark.parametrize(
    "name",
    [
        *("loss", "train", "lr", "", "train_val_loss", "train_loss_acc", "train/loss/layer1"),
        *("train/layer1/acc", "epoch/acc", "policy/loss", "grad_norm/layer1", "tokens_per_second"),
        *(
            "hparam/acc",
            "accuracy/top1",
            "/acc",
            "lambada/",
            "a/b/acc",
            "weight_decay",
            "gradient_weight_norm",
            *("train_samples", "num_samples", "tokens_per_batch", "eval_num_tokens", "valid_samples_seen"),
            *("unique_tokens_in_vocabulary", "tokens_and_flops_seen", "image_repetitions", "epochs_total"),
        ),
    ],
)
def test_a_name_that_is_not_plainly_one_curve_of_one_split_is_left_alone(name):
    assert canonical(name) is None


@pytest.mark.parametrize("key", [*spelled_out(), "shift:rotated/accuracy", "weights/norm/embedding"])
def test_a_key_of_ours_is_its_own_canonical_name(key):
    assert canonical(key) == key


@pytest.mark.parametrize(
    ("logged", "found"),
    [
        (["loss", "val_loss"], {"loss": "train/loss"}),
        (["accuracy", "val_accuracy", "loss"], {"accuracy": "train/accuracy", "loss": "train/loss"}),
        (["loss", "eval_loss", "train_loss", "train_runtime"], {"loss": "train/loss", "train_loss": None}),
        (
            ["train/loss", "train/train_loss", "train/train_runtime"],
            {"train/loss": "train/loss", "train/train_loss": None},
        ),
        (["eval/loss", "train/train_loss", "train/train_runtime"], {"train/train_loss": None}),
        (["loss", "train_loss", "val_loss"], {"loss": None, "train_loss": "train/loss"}),
        (["loss", "lambada/acc"], {"loss": "train/loss"}),
        (["accuracy", "lambada/acc"], {"accuracy": None}),
    ],
)
def test_a_bare_score_is_of_training_beside_a_held_out_one_and_a_loss_by_itself(logged, found):
    assert {name: guesses(logged)[name] for name in found} == found


def test_an_override_wins_over_the_rule():
    assert resolve(["val_acc"], {"val_acc": "test/accuracy"}) == {"val_acc": "test/accuracy"}


def test_of_two_names_for_one_curve_the_first_in_order_gets_it_and_the_other_keeps_its_name():
    assert resolve(["valid_acc", "val_acc"]) == {"val_acc": "val/accuracy", "valid_acc": "valid_acc"}


def test_an_override_onto_a_key_that_is_already_there_gives_way():
    assert resolve(["x", "test/accuracy"], {"x": "test/accuracy"}) == {
        "x": "x",
        "test/accuracy": "test/accuracy",
    }


def test_overrides_may_swap_two_names():
    swap = {"val/accuracy": "test/accuracy", "test/accuracy": "val/accuracy"}
    assert resolve(list(swap), swap) == swap


@given(
    st.lists(st.sampled_from(NAMES), unique=True),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)),
)
def test_two_curves_are_never_poured_into_one(names, overrides):
    resolved = resolve(names, overrides)
    assert resolved.keys() == set(names)
    assert len(set(resolved.values())) == len(names)
