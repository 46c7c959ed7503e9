"""Ordinary trainings: thirty small ones of many kinds that really train, none of which groks."""

from collections.abc import Sequence

from grokscope.experiments.ordinary import failures, images, representations, rewards, starts, tables, text
from grokscope.experiments.ordinary.loops import Row as Row
from grokscope.experiments.ordinary.loops import Training as Training

TRAININGS: Sequence[Training] = (
    images.digits_cnn,
    images.digits_augmented,
    images.digits_few,
    images.digits_stopped_early,
    images.digits_warm_up_cosine,
    images.digits_per_cent,
    images.digits_every_step,
    images.digits_noisy_labels,
    starts.digits_fine_tuned,
    starts.digits_transferred,
    starts.digits_incremental,
    starts.digits_bad_start,
    failures.sines_diverged,
    failures.digits_lost,
    failures.digits_nothing_learned,
    failures.digits_shuffled,
    failures.spirals_linear,
    tables.cancer_logistic,
    tables.wine_eight_evaluations,
    tables.diabetes_regression,
    tables.rare_positives,
    tables.cancer_boosted,
    text.snippets_of_files,
    text.help_recurrent,
    text.help_transformer,
    text.words_reversed,
    representations.digits_autoencoder,
    representations.halves_found,
    representations.digits_two_heads,
    rewards.pole_balanced,
)
"""Each logs under the names, in the units and on the schedule that loops of its kind have."""
