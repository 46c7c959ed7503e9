"""Names of the tags that we write to runs and experiments, or look for: spelled here and nowhere else."""

CLIENT_RUN_ID = "grokscope.client_run_id"
"""The tracker's own id of the run: known before MLflow has been reached."""

ATTEMPT = "grokscope.attempt"
"""How often the run has been started: 2 and more after a resume."""

LAST_SEEN = "grokscope.last_seen"
"""When the training process was last known to be alive, Unix time in whole ms."""

DAMAGE = "grokscope.damage"
"""What could not be read of what the run had logged: how much, where and why, as a sentence."""

REFUSED = "grokscope.refused"
"""How many records of the run the store refused, and why it refused the last of them."""

DROPPED = "grokscope.dropped"
"""How many points of the run the disk of its trainer could not take."""

FAILED = "grokscope.failed"
"""What of the run's evaluations could not be measured, and how often, as a sentence."""

WITHDRAWN = "grokscope.withdrawn"
"""Of a deleted run: why it was taken back, such as that its training was begun anew."""

ELSEWHERE = "grokscope.withdrawn.elsewhere"
"""On a withdrawn run: it was written on another machine, which may still hold some of it."""

MACHINE = "grokscope.machine"
"""On what the run was trained: host, system, processors, devices and versions, as one line."""

PATTERN = "grokscope.pattern"
ONSET_STEP = "grokscope.onset_step"
MEMORIZED_STEP = "grokscope.memorized_step"
GENERALIZED_STEP = "grokscope.generalized_step"
DELAY_RATIO = "grokscope.delay_ratio"
DETECTOR = "grokscope.detector"
VERDICT_DIGEST = "grokscope.verdict_digest"
"""Tells whether the whole verdict, which is kept as an artifact, is still the same."""
VERDICT_TAGS = (
    PATTERN, ONSET_STEP, MEMORIZED_STEP, GENERALIZED_STEP, DELAY_RATIO, DETECTOR, VERDICT_DIGEST,
)  # fmt: skip
"""A verdict's tags, to search by, and the only ones that are ever removed."""

REVIEW_PREFIX = "grokscope.review."
"""Of a run: what a person decided; behind it stands the name of a verdict's tag. No verdict touches it."""

ALIAS_PREFIX = "grokscope.alias."
"""Of an experiment: what a person says that a metric is; one tag a metric."""

VIEW_PREFIX = "grokscope.view."
"""Of an experiment: what people look at in it again and again, under a name; one tag a view."""

IMPORT_ID = "grokscope.import.id"
IMPORT_KIND = "grokscope.import.kind"
IMPORT_SOURCE = "grokscope.import.source"
"""An imported run: which one, of which tool, from where."""

RUN_NAME = "mlflow.runName"
"""MLflow 1 kept a run's name there only."""

NOTE = "mlflow.note.content"
"""MLflow's pages show it as the run's description."""

IMPORT_NOTES = "grokscope.import.notes"
"""What is to be said of how a run was read: what counts its steps, what was left out."""

WANDB_TAGS = "wandb.tags"
WANDB_RUN_ID = "wandb.run_id"
"""What an imported run of W&B was called there."""

WANDB_SUMMARY = "wandb.summary."
"""Of an imported run of W&B: what its summary says beyond its curves; one tag a name."""
