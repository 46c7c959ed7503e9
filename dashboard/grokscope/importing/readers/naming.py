"""Names of runs whose logs tell none: the name of the file, or of its folder where all are called so."""

from pathlib import Path

_USUAL = frozenset(
    (
        *(
            "metrics",
            "metric",
            "results",
            "result",
            "scalars",
            "losses",
            "loss",
            "data",
            "monitor",
            "progress",
        ),
        *("log", "logs", "history", "log_history", "training", "train", "train_log", "training_log"),
        *("main", "output", "output_log", "out", "stdout", "stderr"),
    )
)


def run_name(path: Path, root: Path) -> str:
    """Return the name of a file's run: of the folder, if tools call the file so in each, else of the file.

    >>> run_name(Path("logs/version_0/metrics.csv"), Path("logs")), run_name(Path("logs/a.csv"), Path("logs"))
    ('version_0', 'a')
    >>> run_name(Path("logs/metrics.csv"), Path("logs"))
    'metrics'
    """
    if path.stem.lower().replace("-", "_") not in _USUAL or path.parent == root:
        return path.stem
    return path.parent.relative_to(root).as_posix()
