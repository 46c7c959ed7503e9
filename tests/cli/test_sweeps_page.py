"""What docs/sweeps.md shows does what it says."""

import re
from pathlib import Path

import pytest

from grokscope.experiments import Cell, SweepConfig, read_config

PAGE = (Path(__file__).parents[2] / "docs/sweeps.md").read_text()
TOML = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
(PYTHON,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
EXPERIMENT, RANDOM, CELLS, FUNCTION, COMMAND = TOML


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working folder with the file that the page speaks of."""
    (tmp_path / "train.py").write_text("def main(lr, seed):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def read(folder):
    def reading(content: str) -> SweepConfig:
        (folder / "a.toml").write_text(content)
        return read_config(folder / "a.toml")

    return reading


def groups(cells: tuple[Cell, ...]) -> list[str]:
    return list(dict.fromkeys(cell.group for cell in cells))


def test_the_grid_of_an_experiment_has_the_runs_that_the_page_tells(read):
    config = read(EXPERIMENT)
    assert [len(config.cells), len(groups(config.cells))] == [18, 6]
    assert {cell.seed for cell in config.cells} == {0, 1, 2}
    assert (config.experiment, config.store, config.workers) == ("weight decay", "sqlite:///mlflow.db", 2)
    assert config.cells[0].stop is not None


def test_draws_and_given_cells_can_stand_in_place_of_the_grid(read):
    head, _ = EXPERIMENT.split("[grid]")
    assert len(groups(read(head + RANDOM).cells)) == 20
    assert groups(read(head + CELLS).cells) == ["lr=0.001, weight_decay=0.1", "lr=0.01, weight_decay=1.0"]


def test_a_function_and_a_command_of_ones_own_are_swept(read):
    assert groups(read(FUNCTION).cells) == ["lr=0.001", "lr=0.01"]
    (cell,) = read(f"{COMMAND}[settings]\nlr = 0.1\n").cells
    assert cell.command == ("python", "train.py", "--lr", "0.1", "--seed", "0")


def test_the_python_of_the_page_trains_every_cell(folder, capsys):
    code = PYTHON.replace("/data/", f"{folder}/")
    exec(compile(code, "docs/sweeps.md", "exec"), {})
    ends = [line for line in capsys.readouterr().out.splitlines() if line.endswith("finished")]
    assert sorted(ends) == ["lr=0.001 0 finished"] * 3 + ["lr=0.01 0 finished"] * 3
