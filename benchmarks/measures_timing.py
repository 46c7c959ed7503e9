"""When each measure moves around grokking, and who says so.

Leads are medians over 7 seeds of the demo's MLP (47 classes, half of the table, AdamW, weight decay 1): how
long before test accuracy the measure has made half of its own change, in units of the time from memorization
to 50 % test accuracy. Negative is late. They rank measures in hindsight and are no rule for an alarm.
"""

from grokscope.schemas.metrics.measure import CURVE

_OWN = "measured here"

TIMING: dict[tuple[str, str], str] = {
    (CURVE, "accuracy"): "is the event",
    (CURVE, "loss"): f"train: leads by .11 ({_OWN}); on test, shrinking logits alone lower it",
    (CURVE, "margin"): f"train: leads by .11, test: 0 ({_OWN})",
    (CURVE, "mrr"): f"leads: lifted 100 to 250 steps before 10 % accuracy ({_OWN}, 3 runs)",
    (CURVE, "information"): f"leads by 25 steps, no false alarm in 5 controls ({_OWN}, 3 runs)",
    (CURVE, "logit_scale"): f"leads by .10, monotone in 3 of 4 ({_OWN})",
    (CURVE, "log_probability_q50"): "leads (arXiv:2605.08237)",
    (CURVE, "zero_loss_share"): "rises where learning stops for good (arXiv:2501.04697)",
    (CURVE, "early_activity"): "claimed long before (arXiv:2306.13253)",
    (CURVE, "in_context_score"): "with induction heads (arXiv:2209.11895)",
    ("groups", "loss"): "slice by slice, not together (arXiv:2506.21551)",
    ("weights", "norm"): f"depends on the recipe: rose through grokking here ({_OWN})",
    ("weights", "angle_from_init"): "jointly with the norm (arXiv:2605.18845)",
    ("weights", "effective_rank"): f"late by .55 to .62 ({_OWN})",
    ("gradients", "norm"): f"leads by .07 ({_OWN})",
    ("gradients", "alignment"): f"late by .78 ({_OWN})",
    ("gradients", "noise_scale"): f"leads by .41, range .33 to .51 ({_OWN})",
    ("updates", "ratio"): f"late by .46 ({_OWN})",
    ("updates", "gradient_share"): "parts align at grokking (arXiv:2604.07380)",
    ("updates", "first_share"): f"leads by .25, range .06 to .51 ({_OWN})",
    ("updates", "first_gap"): "with weight decay, before (arXiv:2603.28964)",
    ("updates", "second_moment_q10"): "small before slingshots (arXiv:2206.04817)",
    ("representation", "nc1"): f"leads by .39 on train, .28 on test, monotone ({_OWN})",
    ("representation", "nc2_norms"): "with accuracy or later (arXiv:2509.17738)",
    (
        "representation",
        "spectral_entropy",
    ): f"late by .39 ({_OWN}); claimed to lead in transformers (arXiv:2604.13123)",
    ("representation", "probe_accuracy"): "leads the model's own readout (arXiv:2605.27078)",
    ("representation", "alpha_req"): "turns with the phases of pretraining (arXiv:2509.23024)",
    ("representation", "rankme"): "collapses, expands, then compresses in pretraining (arXiv:2509.23024)",
    ("representation", "intrinsic_dimension"): "falls, noisily",
    ("representation", "cka_previous"): "dips at the transition",
    ("representation", "sparsity"): "few units take over (arXiv:2303.11873)",
    ("attention", "prefix_matching"): f"with accuracy, within 50 steps ({_OWN})",
    ("curvature", "sharpness"): f"leads by .11 ({_OWN})",
    ("curvature", "commutator"): f"leads by .43, not monotone ({_OWN})",
    ("curvature", "relative_flatness"): "falls when generalization starts (arXiv:2509.17738)",
    ("curvature", "llc"): "rises while memorizing, falls at grokking (arXiv:2402.02364)",
    ("curvature", "kernel_alignment"): "half of its rise leads (arXiv:2310.06110; 5 of 5 seeds elsewhere)",
    ("weights", "tail_exponent"): "below 2: over-trained; noise on matrices this small (arXiv:2602.02859)",
    ("weights", "correlation_traps"): "before generalization is lost again (arXiv:2602.02859)",
    ("weights", "compressed_bits"): "rises while memorizing, falls at grokking (arXiv:2412.09810)",
    ("weights", "circuit_complexity"): "falls with grokking (arXiv:2405.12755)",
    ("representation", "o_information"): "early synergy claimed to lead (arXiv:2408.08944)",
    ("representation", "local_complexity"): "falls, rises, moves to the boundary (arXiv:2402.15555)",
    ("representation", "dropout_variance"): "its rise leads, its peak is late (arXiv:2507.11645)",
    ("task", "sum_share"): f"leads by .10 ({_OWN})",
    ("task", "fourier_gini"): f"leads by .11 ({_OWN})",
    ("task", "restricted_loss"): f"late by .10 ({_OWN})",
    ("task", "excluded_loss"): "rises while test accuracy is still at chance (arXiv:2301.05217)",
    ("task", "parallelogram_share"): "leads or with accuracy (arXiv:2205.10343)",
    ("task", "relevant_mass"): "leads (arXiv:2303.11873)",
    ("task", "parity_correlation"): "leads (arXiv:2207.08799)",
}
