from hypothesis import given
from hypothesis import strategies as st

from grokscope.dashboard.state.selection import Selection, existing, selection_from

A, B = "a" * 32, "b" * 32


def test_an_address_names_an_experiment_and_its_runs():
    query = {"experiment": "sweep", "runs": f"{A},{B}"}
    assert selection_from(query, ["sweep"]) == Selection(experiment="sweep", runs=(A, B))


def test_an_address_of_a_selection_leads_back_to_it():
    selection = Selection(experiment="sweep", runs=(A, B))
    assert selection_from(selection.query(), ["sweep"]) == selection


def test_what_is_no_run_id_is_left_out_with_a_note_that_does_not_repeat_it():
    selection = selection_from({"experiment": "sweep", "runs": f"{A},<img>,../etc,{A.upper()}"}, ["sweep"])
    assert selection == Selection(
        experiment="sweep",
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
    assert existing(Selection(experiment="sweep", runs=(A, B)), {B}) == Selection(
        experiment="sweep",
        runs=(B,),
        note="The address names 1 run that is not in this experiment: left out.",
    )


@given(
    st.dictionaries(st.sampled_from(["experiment", "runs", "x"]), st.text(max_size=80)), st.lists(st.text())
)
def test_no_address_brings_anything_but_known_names_and_well_formed_ids(query, names):
    selection = selection_from(query, names)
    assert selection.experiment in {None, *names}
    assert all(len(run) == 32 and set(run) <= set("0123456789abcdef") for run in selection.runs)


def test_an_address_with_very_many_runs_is_cut():
    ids = ",".join(f"{i:032x}" for i in range(2000))
    assert len(selection_from({"experiment": "s", "runs": ids}, ["s"]).runs) == 500
