"""Further runs of a sweep: where a suggester says, in the cells, groups and with the values of the file."""

import pytest

from grokscope.experiments import ConfigError, Suggestion, further_runs, read_config

CONFIG = """
command = ["train", "{lr}", "{width}", "{depth}", "{seed}"]
experiment = "e"
seeds = [0, 1]
[grid]
lr = [1e-3, 1e-2]
depth = [2]
width = [8, 16]
"""


def suggesting(*settings, trained=()):
    """A suggester of these settings, whose cells were trained with some seeds."""
    return lambda planned, names: [
        Suggestion(settings=dict(zip(names, each, strict=True)), seeds=frozenset(trained), sentence="There.")
        for each in settings
    ]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(CONFIG)
    return path


def test_a_run_in_a_cell_of_the_file_takes_its_values_its_group_and_a_new_seed(path):
    planned, sentences = further_runs(path, suggesting((0.01, 8.0), (0.01, 8.0)))
    (there,) = [cell for cell in read_config(path).cells if cell.group == "lr=0.01, depth=2, width=8"][:1]
    assert [(cell.group, cell.settings, cell.seed) for cell in planned.cells] == [
        (there.group, there.settings, 2),
        (there.group, there.settings, 3),
    ]
    assert planned.cells[0].command == ("train", "0.01", "8", "2", "2")
    assert (planned.experiment, sentences) == ("e", ["There. Seed 2.", "There. Seed 3."])


def test_seeds_that_were_trained_are_passed_over_and_new_places_begin_at_the_first(path):
    planned, _ = further_runs(path, suggesting((0.001, 16.0), trained=(2, 4)))
    assert planned.cells[0].seed == 3
    planned, _ = further_runs(path, suggesting((0.00316227, 11.7)))
    assert [(cell.group, cell.seed) for cell in planned.cells] == [("lr=0.003162, depth=2, width=12", 0)]


@pytest.mark.parametrize("grid", ["lr = [1, 2]", "lr = [1, 2]\nwidth = ['a', 'b']", ""])
def test_cells_that_do_not_differ_in_two_numbers_are_refused(path, grid):
    names = [line.partition(" ")[0] for line in grid.splitlines()] or ["lr"]
    words = ", ".join(f'"{{{name}}}"' for name in names)
    path.write_text(f"command = [{words}]\n" + (f"[grid]\n{grid}\n" if grid else "[settings]\nlr = 1\n"))
    with pytest.raises(
        ConfigError, match="between two settings that are numbers; cells of this sweep differ in"
    ):
        further_runs(path, suggesting((1.0, 1.0)))
