"""What a node tells of tasks: nothing that the command cannot take in."""

import pickle

from grokscope.experiments.cluster.node import do_tasks, own_version
from grokscope.schemas.workers import Done, Failed


class OwnError(Exception):
    """An error that can be pickled, and not unpickled: its ``__init__`` wants two."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")


def halved(number):
    if number % 2:
        raise OwnError(number, "it is odd")
    return number // 2


def test_an_error_that_cannot_be_told_as_it_is_costs_no_other_result(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = pickle.loads(pickle.dumps(do_tasks(halved, [2, 3, 4], folder=".", wanted=own_version())))
    assert (told[0], told[2]) == (Done(1), Done(2))
    assert isinstance(told[1], Failed)
    assert str(told[1].error) == "OwnError: 3: it is odd"
