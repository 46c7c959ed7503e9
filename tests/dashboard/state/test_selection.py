from hypothesis import given
from hypothesis import strategies as st

from grokscope.dashboard.state.selection import (
    Selection,
    existing,
    group_key,
    selection_from,
    with_groups,
)

A, B = "a" * 32, "b" * 32


def test_an_address_names_an_experiment_and_its_runs():
    query = {"experiment": "sweep", "runs": f"{A},{B}"}
    assert selection_from(query, ["sweep"]) == Selection(experiments=("sweep",), runs=(A, B))


def test_an_address_of_a_selection_leads_back_to_it():
    selection = Selection(experiments=("sweep",), runs=(A, B))
    assert selection_from(selection.query(), ["sweep"]) == selection


def test_what_is_no_run_id_is_left_out_with_a_note_that_does_not_repeat_it():
    selection = selection_from({"experiment": "sweep", "runs": f"{A},<img>,../etc,{A.upper()}"}, ["sweep"])
    assert selection == Selection(
        experiments=("sweep",),
        runs=(A,),
        note="The address names 3 runs that are not in this experiment: left out.",
    )


def test_an_unknown_experiment_is_left_out_with_its_runs():
    assert selection_from({"experiment": "gone", "runs": A}, ["sweep"]) == Selection(
        note="The address names an experiment that is not in this store: the newest one is shown."
    )


def test_a_store_named_in_the_address_is_not_looked_at():
    query = {"uri": "http://169.254.169.254", "store": "sqlite:////etc/passwd", "GROKSCOPE_STORE": "x"}
    assert selection_from(query, ["sweep"]) == Selection()


def test_runs_of_another_experiment_are_left_out_with_a_note():
    assert existing(Selection(experiments=("sweep",), runs=(A, B)), {B}) == Selection(
        experiments=("sweep",),
        runs=(B,),
        note="The address names 1 run that is not in this experiment: left out.",
    )


@given(
    st.dictionaries(st.sampled_from(["experiment", "runs", "x"]), st.text(max_size=80)), st.lists(st.text())
)
def test_no_address_brings_anything_but_known_names_and_well_formed_ids(query, names):
    selection = selection_from(query, names)
    assert set(selection.experiments) <= set(names)
    assert all(len(run) == 32 and set(run) <= set("0123456789abcdef") for run in selection.runs)


def test_an_address_with_very_many_runs_is_cut():
    ids = ",".join(f"{i:032x}" for i in range(2000))
    assert len(selection_from({"experiment": "s", "runs": ids}, ["s"]).runs) == 500


def test_every_part_of_a_selection_is_in_its_address():
    selection = Selection(
        experiments=("sweep",),
        runs=(A,),
        where="lr > 1e-3 and not tag.bad",
        by=("lr", "intervention.data.fraction"),
        only=(group_key("lr 1"), group_key("lr 2")),
        baseline=group_key("lr 1"),
    )
    assert selection_from(selection.query(), ["sweep"]) == selection


def test_no_grouping_is_not_the_grouping_of_an_address_that_says_nothing():
    assert selection_from(Selection(experiments=("sweep",), by=()).query(), ["sweep"]).by == ()
    assert selection_from({"experiment": "sweep"}, ["sweep"]).by is None


def test_groups_that_are_gone_are_forgotten():
    selection = Selection(only=(group_key("a"), group_key("b")), baseline=group_key("b"))
    assert with_groups(selection, ["a"]) == Selection(only=(group_key("a"),))
