"""Names of files and folders: what calls a run whose log tells none, and what calls a split of one."""

from pathlib import Path

from grokscope.importing.surroundings.folders import run_name

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "eval"})
"""What files and folders that hold one split of a run are called."""

CATBOOST_SPLITS = {"learn": "train"}
"""What CatBoost calls a split in words of its own."""

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
        *("main", "output", "output_log", "out", "stdout", "stderr", "summary"),
    )
)


def is_usual(stem: str) -> bool:
    """Say whether tools and people call any log so.

    >>> is_usual("train-log"), is_usual("seed0")
    (True, False)
    """
    return stem.lower().replace("-", "_") in _USUAL


def named_by(path: Path, root: Path) -> str:
    """Return the name of a file's run: of the folder, if tools call the file so in each, else of the file.

    >>> named_by(Path("logs/version_0/metrics.csv"), Path("logs")), named_by(Path("logs/a.csv"), Path("logs"))
    ('logs/version_0', 'a')
    >>> named_by(Path("logs/metrics.csv"), Path("logs"))
    'metrics'
    """
    if not is_usual(path.stem) or path.parent == root:
        return path.stem
    return run_name(path.parent, root)
