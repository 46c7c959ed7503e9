"""Lines that known programs write, each read by a function of its own; all others are read as pairs."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from grokscope.importing.readers.json_values import numbers_in
from grokscope.importing.readers.tables.clocks import plain_name
from grokscope.importing.readers.text.pairs import NUMBER
from grokscope.importing.readers.text.patterns import number
from grokscope.importing.readers.text.record import Record

_VALUE = rf"(?P<value>{NUMBER})(?![\w.])"
_NANOGPT = re.compile(r"\s{0,4}+(?:step|iter) (?P<step>\d++): (?P<rest>(?:train )?loss .*)")
_NANOGPT_PAIR = re.compile(rf"(?P<name>[a-z]++(?: loss)?+) {_VALUE}", re.IGNORECASE)
_MODDED = re.compile(r"step:(?P<step>\d++)/\d++ (?P<rest>.*)")
_COLON_PAIR = re.compile(rf"(?<!\S)(?P<name>[A-Za-z]\w{{0,80}}+):{_VALUE}", re.IGNORECASE)
_LLMC = re.compile(r"step\s{1,8}+(?P<step>\d++)/\d++ \| (?P<rest>.*)")
_LLMC_PAIR = re.compile(rf"(?P<name>(?:train )?loss|norm|lr) {_VALUE}", re.IGNORECASE)
_LLMC_VAL = re.compile(rf"val loss:? {_VALUE}\s*+")
_LLMC_TASK = re.compile(r"HellaSwag: (?P<value>\d++)/(?P<of>\d++)")
_LLMC_MAIN = re.compile(r"s:(?P<step>\d++) (?P<rest>(?:tel|trl|eval):.*)")
_LLMC_NAMES = {"tel": "val_loss", "trl": "train_loss", "eval": "hellaswag/acc"}
_FAIRSEQ = re.compile(r".{0,120}?\| (?P<set>[a-z_]{1,40}+) \| epoch (?P<epoch>\d++)[ :|](?P<rest>.*)")
_FAIRSEQ_PAIR = re.compile(rf"(?P<name>[A-Za-z]\w{{0,80}}+)[= ]{_VALUE}", re.IGNORECASE)
_DICT = re.compile(r"(?:[^{]{0,400}+)(?P<dict>\{'[^{}]{1,8000}+\})")
_DICT_PAIR = re.compile(rf"'(?P<name>[^']{{1,200}}+)': '?{_VALUE}", re.IGNORECASE)
_CATBOOST = re.compile(r"\s{0,80}+(?P<step>\d++):\s++(?P<rest>(?:learn|test\d{0,4}): .*)")
_CATBOOST_PAIR = re.compile(rf"(?<!\S)(?P<name>learn|test\d{{0,4}}): {_VALUE}", re.IGNORECASE)
_LIGHTGBM = re.compile(r"\s{0,80}+(?:\[[A-Za-z]++\]\s?){0,3}+\[(?P<step>\d++)\]\s++(?P<rest>\S.*)")
_LIGHTGBM_PAIR = re.compile(
    rf"(?<!\S)(?P<set>[\w.\-]{{1,80}}+)'s (?P<name>(?:(?:train|valid) )?[^\s:]{{1,80}}+): {_VALUE}",
    re.IGNORECASE,
)
_XGBOOST = re.compile(r"\s{0,80}+(?:\[\d\d:\d\d:\d\d\]\s?)?+\[(?P<step>\d++)\]\s++(?P<rest>\S.*)")
_XGBOOST_PAIR = re.compile(rf"(?<!\S)(?P<name>[\w.]{{1,80}}+-[\w@.\-]{{1,80}}+):{_VALUE}", re.IGNORECASE)
_GAN = re.compile(r"\(epoch: (?P<epoch>\d++), iters: (?P<inner>\d++), time: [^)]{1,80}+\) (?P<rest>.*)")
_GAN_PAIR = re.compile(rf"(?<!\S)(?P<name>[A-Za-z]\w{{0,80}}+): {_VALUE}", re.IGNORECASE)
_UPDATES = re.compile(r"(?:(?:train|valid|test)_)?num_updates")
_JSON_CLOCKS: Mapping[str, tuple[str, ...]] = {
    "step": ("num_updates", "global_step", "step", "iteration", "iter", "it", "update", "train_step"),
    "epoch": ("epoch", "train_epoch"),
}

CATBOOST, LIGHTGBM, XGBOOST = "CatBoost's console", "LightGBM", "XGBoost"

Style = Callable[[str], Record | None]


def _named(pattern: re.Pattern[str], rest: str) -> dict[str, float]:
    found = {match["name"].replace(" ", "_"): number(match["value"]) for match in pattern.finditer(rest)}
    return {name: value for name, value in found.items() if value is not None}


def nanogpt(line: str) -> Record | None:
    """Read ``step 250: train loss 1.9, val loss 2.0`` and ``iter 250: loss 1.8, time 5ms, mfu 3%``."""
    match = _NANOGPT.match(line)
    return match and Record(step=number(match["step"]), values=_named(_NANOGPT_PAIR, match["rest"]))


def modded_nanogpt(line: str) -> Record | None:
    """Read ``step:125/1750 val_loss:4.1 train_time:900ms``; times have units and are no metric."""
    match = _MODDED.match(line)
    return match and Record(step=number(match["step"]), values=_named(_COLON_PAIR, match["rest"]))


def llm_c(line: str) -> Record | None:
    """Read ``step 10/1000 | loss 3.2 (+1.2z)| norm 1.2 (+0.1z)| lr 6e-4``, and scores on lines between."""
    if match := _LLMC.match(line):
        values = _named(_LLMC_PAIR, match["rest"].replace("train loss", "loss"))
        return Record(step=number(match["step"]), values=values) if "loss" in values else None
    if match := _LLMC_VAL.fullmatch(line):
        return Record(values={"val_loss": number(match["value"]) or 0.0})
    match = _LLMC_TASK.match(line)
    return match and Record(values={"hellaswag/acc": float(match["value"]) / (float(match["of"]) or 1.0)})


def llm_c_main(line: str) -> Record | None:
    """Read ``s:250 tel:3.3``, ``s:250 trl:3.4 lr:…`` and ``s:250 eval:0.3`` of a ``main.log``."""
    match = _LLMC_MAIN.match(line)
    if match is None:
        return None
    values = {
        _LLMC_NAMES.get(name, name): value for name, value in _named(_COLON_PAIR, match["rest"]).items()
    }
    return Record(step=number(match["step"]), values=values)


def fairseq(line: str) -> Record | None:
    """Read ``… | valid | epoch 001 | valid on 'valid' subset | loss 4.2 | num_updates 1000``."""
    match = _FAIRSEQ.match(line) if "| epoch " in line else None
    if match is None:
        return None
    values = _named(_FAIRSEQ_PAIR, match["rest"])
    step = values.pop("num_updates", None)
    values.pop("epoch", None)
    prefix = "" if match["set"] == "train_inner" else f"{match['set']}_"
    named = {f"{prefix}{name}": value for name, value in values.items()}
    return (
        Record(step=step, epoch=number(match["epoch"]), values=named) if named and step is not None else None
    )


def catboost(line: str) -> Record | None:
    """Read ``10: learn: 0.6 test: 0.61 best: 0.61 (0) total: 12ms remaining: 1s``; the metric has no name."""
    match = _CATBOOST.match(line)
    return match and Record(step=number(match["step"]), values=_named(_CATBOOST_PAIR, match["rest"]))


def lightgbm(line: str) -> Record | None:
    """Read ``[10] training's auc: 0.9 valid_1's auc: 0.8``, a curve a set and metric."""
    match = _LIGHTGBM.match(line) if "'s " in line else None
    values = {
        f"{pair['set']}/{pair['name'].replace(' ', '_')}": value
        for pair in (_LIGHTGBM_PAIR.finditer(match["rest"]) if match else ())
        if (value := number(pair["value"])) is not None
    }
    return Record(step=number(match["step"]), values=values) if match and values else None


def xgboost(line: str) -> Record | None:
    """Read ``[10] validation_0-logloss:0.58 validation_1-logloss:0.6``; numbers say not what the sets are."""
    match = _XGBOOST.match(line) if "validation_" in line else None
    values = _named(_XGBOOST_PAIR, match["rest"]) if match else {}
    return Record(step=number(match["step"]), values=values) if match and values else None


def pix2pix(line: str) -> Record | None:
    """Read ``(epoch: 2, iters: 400, time: 1.2, data: 0.1) D_A: 0.23 G_A: 0.16``; iters start again."""
    match = _GAN.match(line)
    values = _named(_GAN_PAIR, match["rest"]) if match else {}
    if match is None or not values:
        return None
    return Record(epoch=number(match["epoch"]), inner=number(match["inner"]), values=values)


def trainer_dict(line: str) -> Record | None:
    """Read ``{'loss': 0.5, 'learning_rate': 5e-05, 'epoch': 1.0}``; what sums up the training is no curve."""
    match = _DICT.match(line) if "{'" in line else None
    values = _named(_DICT_PAIR, match["dict"]) if match else {}
    if "train_runtime" in values:
        return Record()
    return _clocked(values)


def json_record(line: str) -> Record | None:
    """Read a line that ends with a JSON object, such as fairseq's, DeiT's or a logger's."""
    start = line.find('{"')
    if start < 0:
        return None
    try:
        content: Any = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    members = cast("dict[str, Any]", content)
    texts = {name: number(text) for name, text in members.items() if isinstance(text, str)}
    read = {name: value for name, value in texts.items() if value is not None}
    return _clocked({**dict(numbers_in(members)), **read})


def _clocked(values: dict[str, float]) -> Record | None:
    """Return the values with their clocks apart, if there are both."""
    plain = {"num_updates" if _UPDATES.fullmatch(name) else plain_name(name): name for name in values}
    clocks: dict[str, float] = {}
    for clock, names in _JSON_CLOCKS.items():
        for name in names:
            if name in plain:
                clocks.setdefault(clock, values.pop(plain[name]))
    return (
        Record(step=clocks.get("step"), epoch=clocks.get("epoch"), values=values)
        if clocks and values
        else None
    )


STYLES: Mapping[str, Style] = {
    "modded-nanoGPT": modded_nanogpt,
    "llm.c": llm_c,
    "llm.c's main.log": llm_c_main,
    "nanoGPT": nanogpt,
    "fairseq": fairseq,
    CATBOOST: catboost,
    LIGHTGBM: lightgbm,
    XGBOOST: xgboost,
    "pix2pix": pix2pix,
    "a Trainer's console": trainer_dict,
    "JSON": json_record,
}
"""What a style is called -> its reader, the most particular first."""
