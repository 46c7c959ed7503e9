"""The words of a metric's name: every separator, camel case and spelling on one footing."""

import re

_WORD = re.compile(r"@\d+|[A-Z]?[a-z]+[0-9]*|[A-Z]+(?![a-z])[0-9]*|[0-9]+")
_LONGEST = 1000
"""Characters of a name that is read."""
# Written as one word, such as valacc.
_SPLIT = "train|training|test|val|valid|validation|eval|dev"
_SCORE = "acc|accuracy|loss|err|error|ppl|f1|mse|auc|bpb"
_SPELLINGS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        # The mean over thresholds from .5 to .95 is plain mAP; at .5 alone it is another score.
        (r"mAP[-_@]?(?:0?\.)?50?[-:_](?:0?\.)?95", "map "),
        (r"mAP[-_@]?(?:0?\.)?50?(?![\d.])", "map50 "),
        (r"mAP", "map"),
        (r"m?IoU", "iou "),
        (r"auROC|AuROC", "auroc"),
        (r"nDCG", "ndcg"),
        (r"chrF", "chrf"),
        (r"[/_]dataloader_idx_\d+$", ""),
        (r"\([BMP]\)$", ""),  # boxes, masks and poses of a YOLO model
        (r"^valid_0's ", "valid "),  # LightGBM's first set
        (r"%", " percent "),
        (r"(?i)\b(top|acc|prec|err)[-_ ]?@?[-_ ]?(\d+)(?![a-z0-9])", r"\1\2"),
        (r"(?i)(?<=[a-z0-9])[-_ ]?(?:@|at[-_ ]?)(?=\d)", " @"),
        (rf"(?i)(?<![a-z])({_SPLIT})({_SCORE})(?![a-z])", r"\1 \2"),
    )
)


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of ``name`` in order, in small letters; none of a name that is a text.

    >>> words_of("trainAcc"), words_of("metrics/mAP50(B)"), words_of("Top-5 Accuracy (%)")
    (('train', 'acc'), ('metrics', 'map50'), ('top5', 'accuracy', 'percent'))
    >>> words_of("valacc"), words_of("recall_at_10")
    (('val', 'acc'), ('recall', '@10'))
    """
    if len(name) > _LONGEST:
        return ()
    for pattern, instead in _SPELLINGS:
        name = pattern.sub(instead, name)
    return tuple(word.lower() for word in _WORD.findall(name))
