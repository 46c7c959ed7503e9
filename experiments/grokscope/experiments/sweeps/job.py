"""``python -m grokscope.experiments.sweeps.job``: one job of a sweep, its own process."""
