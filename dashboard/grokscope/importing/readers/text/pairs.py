"""Names and numbers in a line for people: ``epoch 3 | train loss 0.1 | val acc 90.1%``."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from grokscope.importing.readers.text.patterns import number
from grokscope.importing.readers.text.record import Record
from grokscope.schemas.metrics.reading import read_alone

NUMBER = r"[-+]?(?:\d[\d,]*+(?:\.\d*+)?|\.\d++)(?:[eE][-+]?\d++)?|[-+]?(?:nan|inf(?:inity)?)(?![a-z])"
"""A number; every part of it is taken whole or not at all, so that no text makes the search go back."""
_WORD = r"[A-Za-z][\w/@.\-]{0,80}+"
_NEXT = rf" (?!(?:nan|inf|infinity)\b){_WORD}"
_PAIR = re.compile(
    rf"(?<![\w/@.\-'])(?P<name>{_WORD}(?:{_NEXT}){{0,3}}+)(?P<mark>'?\s{{0,4}}+[:=]\s{{0,8}}+|\s{{1,4}}+)"
    rf"(?P<value>{NUMBER})(?P<unit>\s?%)?(?:\s?/\s?(?P<of>\d++))?(?![\w.])",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?<![\w/.\-])(?P<what>global[ _]?step|step|iteration|iter|it|num_updates|updates?|batch|epoch|ep)s?"
    r"(?:\((?P<set>train|val|test)\))?"
    r"\s{0,4}+[:=#]?\s{0,8}+[\[(]?\s{0,8}+(?P<at>\d[\d,]*+(?:\.\d++)?)(?![\w])"
    r"(?:\s?/\s?(?P<of>\d++))?+[\])]?"
    r"(?:\s{0,2}+[\[(]\s{0,8}+(?P<inner>\d++)\s?/\s?(?P<span>\d++)(?:\s?\(\s?\d++%\))?[\])])?",
    re.IGNORECASE,
)
_TIMM = re.compile(
    r"(?<![\w/.\-])train:\s{0,4}+(?P<epoch>\d++)\s{0,4}+"
    r"\[\s{0,8}+(?P<inner>\d++)/(?P<span>\d++)[^\]]{0,20}+\]",
    re.IGNORECASE,
)
_BAR = re.compile(r"(?<![\w/.])(?P<epoch>\d++)/\d++:\s{1,8}+\d++%\|")
"""A progress bar of an epoch that is called by its number."""
_LOCATION = re.compile(r"[\w.]{1,120}+:[A-Za-z_<][\w<>]{0,80}+:\d++ - ")
"""Where in a program a line was logged, as loguru writes it."""
_BRACKET = re.compile(r"\s{0,8}+\[\s{0,8}+(?P<epoch>\d++)(?:,\s{0,8}+(?P<inner>\d++))?\]")
_BARE_CLOCK = re.compile(r"\[step=\d++/\d++[\],]")
"""OLMo's, whose values follow a line each."""
_SEEN = re.compile(r"\[\s{0,12}+(?P<at>\d++)/\s{0,12}+(?P<of>\d++)\]\s*+$")
"""How many of an epoch's examples were seen, as PyTorch's tutorials end their lines."""
_EVALUATION = re.compile(r"(?<![\w/.\-])(?:Iter|Epoch)\((?:val|test)\)")
"""MMCV's and MMEngine's, which belong to the training before them."""
_HEADED = {
    **dict.fromkeys(("eval", "evaluation"), "eval"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    "test": "test",
    **dict.fromkeys(("train", "training"), ""),
}
_HEADING = re.compile(
    rf"(?<!\w)({'|'.join(_HEADED)})(?: set)?(?: (?:results?|metrics?|scores?|errors?))?\s{{0,4}}+:\s*+$",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"(?<![\w])(train|training|val|valid|validation|test|testing|eval|evaluation|dev)(?![a-z])", re.IGNORECASE
)
_SHORT = {"evaluation": "eval", "testing": "test"}
_FILLERS = frozenset(
    {"the", "a", "average", "avg", "mean", "current", "with", "and", "at", "of", "is", "on", "sec", "ms"}
)
_ENDS = frozenset({"value", "is", "was", "far", "so", "now"})
"""What stands between a name and its number: ``avg loss so far is 0.5``."""
_LETTER = re.compile(r"[^\W\d_]")
_NO_METRIC = frozenset({"v_num", "eta", "version"})


def paired(line: str) -> Record | None:
    """Return the names and numbers of a line that tells scores; ``None`` of any other line.

    Args:
        line: Without colours.

    >>> paired("Epoch 3/10 | train loss 0.1 | val acc 90.1%")
    Record(step=None, epoch=3.0, inner=None, span=None, values={'train_loss': 0.1, 'val_acc': 90.1})
    >>> paired("loss: 2.5  [   64/60000]")
    Record(step=64.0, epoch=None, inner=None, span=60000.0, values={'loss': 2.5})
    >>> paired("saved 3 files of 20 MB")
    """
    clocks, rest = _clocks(_LOCATION.sub("", line, count=1))
    values: dict[str, float] = {}
    is_scored = False
    for name, value, is_marked in _pairs(rest):
        known = _is_score(name)
        is_scored |= known or (is_marked and bool(clocks) and _tells_loss(name))
        if known or is_marked:
            values[name] = value
    if not is_scored:
        is_only = bool(clocks) and (_BARE_CLOCK.search(line) or not _LETTER.search(rest))
        return _placed(clocks) if is_only else None
    if not clocks and (seen := _SEEN.search(line)) and all(map(_tells_loss, values)):
        clocks = {"step": number(seen["at"]), "span": number(seen["of"])}
    if not clocks and not _EVALUATION.search(line):
        return Record(values={name: value for name, value in values.items() if _is_score(name)})
    return replace(_placed(clocks), values=values)


class Pairs:
    """Reads lines one by one: those below a heading such as ``Evaluation results:`` are of its split.

    >>> lines = Pairs()
    >>> for line in ("step 5 loss: 0.5", "Evaluation results:", "  Loss: 0.75", "step 6 loss: 0.25"):
    ...     if record := lines.read(line):
    ...         print(record.step, record.values)
    5.0 {'loss': 0.5}
    None {'eval_loss': 0.75}
    6.0 {'loss': 0.25}
    """

    def __init__(self) -> None:
        self._split = ""

    def read(self, line: str) -> Record | None:
        """Return what ``paired`` does, with the split that a heading has told."""
        record = paired(line)
        if record is None:
            heading = _HEADING.search(line)
            self._split = _HEADED[heading[1].lower()] if heading else self._split
        elif record.is_placed:
            self._split = ""
        elif self._split:
            values = {
                f"{self._split}_{name.lower()}" if _is_bare(name) else name: value
                for name, value in record.values.items()
            }
            return replace(record, values=values)
        return record


def _placed(clocks: Mapping[str, float | None]) -> Record:
    step, epoch, inner, span = (clocks.get(name) for name in ("step", "epoch", "inner", "span"))
    return Record(step=step, epoch=epoch, inner=inner, span=span)


def _clocks(line: str) -> tuple[dict[str, float | None], str]:
    """Return where a line says that it belongs, and the line without that."""
    found: dict[str, float | None] = {}
    has_epoch = "epoch" in line.lower()
    for match in _CLOCK.finditer(line):
        if match["what"].lower() == "batch" and match["of"] is None and not has_epoch:
            continue  # it may be its size
        name = "epoch" if match["what"].lower().startswith("ep") else "step"
        is_own = (match["set"] or "train").lower() != "train"  # MMCV counts the batches of an evaluation
        if name in found or (
            is_own and name == "step"
        ):  # Megatron also counts what it skipped: number of skipped iterations: 0
            continue
        found[name] = number(match["at"])
        if name == "step" and match["of"] is not None:
            found["span"] = number(match["of"])
        if name == "epoch" and match["inner"] is not None and not is_own:
            found |= {"inner": number(match["inner"]), "span": number(match["span"])}
    if not found and (told := _TIMM.search(line) or _BAR.search(line)):
        rest = f"{line[: told.start()]} {'train' if told.re is _TIMM else ''} | {line[told.end() :]}"
        return {name: number(text) for name, text in told.groupdict().items()}, rest
    if not found and (bracket := _BRACKET.match(line)):
        name = "step" if bracket["inner"] is None else "epoch"
        return {name: number(bracket["epoch"]), "inner": number(bracket["inner"])}, line[bracket.end() :]
    return found, _CLOCK.sub(lambda match: f" {match['set'] or ''} | ", line)


def _pairs(line: str) -> Iterator[tuple[str, float, bool]]:
    told = [(match.start(), match[1].lower()) for match in _SPLIT.finditer(line)]
    splits = [(start, _SHORT.get(name, name)) for start, name in told]
    is_one = len({name for _, name in splits}) == 1
    for match in _PAIR.finditer(line):
        value = number(match["value"])
        words = match["name"].split(" ")
        while len(words) > 1 and words[0].lower() in _FILLERS:
            del words[0]
        while len(words) > 1 and words[-1].lower() in _ENDS:
            del words[-1]
        if value is None or words[-1].lower() in _NO_METRIC:
            continue
        if match["of"] is not None:
            value /= float(match["of"]) or float("nan")
        name = words[0] if len(words) == 1 else "_".join(words).lower()
        if (split := _split_of(match.start(), line, splits, is_one=is_one)) and _is_bare(name):
            name = f"{split}_{name.lower()}"
        yield name, value, not match["mark"].isspace()


def _split_of(start: int, line: str, splits: list[tuple[int, str]], *, is_one: bool) -> str:
    """Return the split that a score without one belongs to: the last named, in its part of the line."""
    before = [(place, name) for place, name in splits if place < start]
    if not before:
        return ""
    place, name = before[-1]
    return name if is_one or "|" not in line[place:start] else ""


@lru_cache(maxsize=4096)
def _is_score(name: str) -> bool:
    found = read_alone(name)
    return found.key is not None and found.score is not None


def _tells_loss(name: str) -> bool:
    return "loss" in re.split(r"[_/.]", name.lower())


@lru_cache(maxsize=4096)
def _is_bare(name: str) -> bool:
    return _is_score(name) and not _SPLIT.search(name.replace("_", " ").replace("/", " "))
