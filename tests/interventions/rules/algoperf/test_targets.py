"""AlgoPerf's file of targets."""

import pytest

from grokscope.interventions.outcomes.target import Target
from grokscope.interventions.rules.algoperf.targets import AlgoPerfTargets, AlgoPerfTargetsError


def workload(metric="loss", level=1):
    return {"target_metric_name": metric, "validation_target_value": level, "step_hint": 9}


FILE = {
    "benchmark_version": "9",
    "base_workloads": ["p", "p_y"],
    "held_out_workloads": ["p_y_z", "p_x"],
    "workloads": {
        "p": workload(),
        "p_y": workload("wer"),
        "p_y_z": workload("ssim"),
        "p_x": workload("bleu", 20.5),
    },
}


def test_targets_know_which_way_is_good_and_of_which_workload_a_variant_is():
    assert AlgoPerfTargets.parse(FILE) == AlgoPerfTargets(
        base=("p", "p_y"),
        base_of={"p_y_z": "p_y", "p_x": "p"},
        targets={
            "p": Target.parse("validation/loss<=1"),
            "p_y": Target.parse("validation/wer<=1"),
            "p_y_z": Target.parse("validation/ssim>=1"),
            "p_x": Target.parse("validation/bleu>=20.5"),
        },
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"workloads": None}, "'workloads' must be a JSON object with names, got nothing"),
        ({"workloads": {"p": 3}}, "workload 'p' must be a JSON object with names, got 3"),
        ({"workloads": {"p": {}}}, "workload 'p' needs 'target_metric_name', a text, got nothing"),
        ({"workloads": {"p": workload(level="1")}}, "'p' needs .*, a finite number, got the text '1'"),
        ({"workloads": {"p": workload(level=True)}}, "'p' needs .*, a finite number, got true"),
        ({"workloads": {"p": workload(level=float("nan"))}}, "'p' needs .*, a finite number, got nan"),
        ({"workloads": {"p": workload(level=10**400)}}, "'p' needs .*, a finite number, got 1000"),
        ({"base_workloads": []}, "'base_workloads' is empty"),
        ({"base_workloads": "p"}, "'base_workloads' must be a list of names of workloads, got the text 'p'"),
        ({"base_workloads": ["p", 1]}, "'base_workloads' must be a list of names of workloads, got 1 in it"),
        ({"base_workloads": ["p", "u"]}, "'base_workloads' names u, which 'workloads' does not have"),
        ({"base_workloads": ["p", "p"]}, "'base_workloads' names p more than once"),
        ({"held_out_workloads": ["p"]}, "held-out workload 'p' is a variant of no base workload; .* p, p_y"),
    ],
)
def test_a_targets_file_that_cannot_be_read_is_refused(change, message):
    with pytest.raises(AlgoPerfTargetsError, match=message):
        AlgoPerfTargets.parse(FILE | change)


def test_a_targets_file_is_an_object():
    with pytest.raises(
        AlgoPerfTargetsError, match="a targets file must be a JSON object with names, got a list"
    ):
        AlgoPerfTargets.parse([])
