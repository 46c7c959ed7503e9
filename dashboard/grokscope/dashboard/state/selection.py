"""What is selected, as it stands in the page's address: an experiment and runs, and nothing else."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_RUN_ID = re.compile(r"[0-9a-f]{32}")
_MOST_RUNS = 500
_NO_EXPERIMENT = "The address names an experiment that is not in this store: the newest one is shown."


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """An experiment and some of its runs.

    Attributes:
        experiment: Its name; ``None`` for the one with the newest activity.
        runs: Run ids; empty means all.
        note: What of an address was left out, as a sentence without any of its text.
    """

    experiment: str | None = None
    runs: tuple[str, ...] = ()
    note: str | None = None

    def query(self) -> dict[str, str]:
        """Return the address's parameters for this selection.

        >>> Selection(experiment="parity").query()
        {'experiment': 'parity'}
        """
        query = {"experiment": self.experiment} if self.experiment else {}
        return query | ({"runs": ",".join(self.runs)} if self.runs else {})


def selection_from(query: Mapping[str, str], experiments: Collection[str]) -> Selection:
    """Return what ``query`` asks for, as far as it is well formed.

    Whether the experiment has the runs is checked by ``existing``, once they are read.

    >>> selection_from({"experiment": "parity", "uri": "http://169.254.169.254"}, ["parity"])
    Selection(experiment='parity', runs=(), note=None)
    """
    asked = query.get("experiment")
    if asked is not None and asked not in experiments:
        return Selection(note=_NO_EXPERIMENT if experiments else None)
    ids = [part for part in query.get("runs", "").split(",") if part]
    runs = tuple(dict.fromkeys(i for i in ids if _RUN_ID.fullmatch(i)))[:_MOST_RUNS]
    return Selection(experiment=asked, runs=runs, note=_left_out(len(ids) - len(runs)))


def existing(selection: Selection, run_ids: Collection[str]) -> Selection:
    """Return the selection without runs that the experiment does not have, saying so.

    >>> existing(Selection(runs=("a" * 32,)), []).note
    'The address names 1 run that is not in this experiment: left out.'
    """
    runs = tuple(run for run in selection.runs if run in run_ids)
    note = _left_out(len(selection.runs) - len(runs)) or selection.note
    return Selection(experiment=selection.experiment, runs=runs, note=note)


def _left_out(count: int) -> str | None:
    if count <= 0:
        return None
    which = "1 run that is" if count == 1 else f"{count} runs that are"
    return f"The address names {which} not in this experiment: left out."
