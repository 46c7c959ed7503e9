"""A file is the file of that name: no name is a pattern that brings in its neighbours, or finds nothing."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grokscope.importing.formats import LogSource, SourceKind
from grokscope.importing.limits import Limits, Tally
from grokscope.importing.readers.tables import read
from grokscope.store import open_store
from grokscope.store.exporting import EXPORT_SCHEMA, write_points

NAMES = ["*", "run[1]", "r?n", "{a,b}", "[!x]*", "~"]
OURS = pl.DataFrame({"step": [0], "metric": ["a"], "value": [1.0]})
THEIRS = pl.DataFrame({"step": [0, 1], "metric": ["stolen", "b"], "value": [2.0, 3.0]})


def write(frame, path):
    {
        ".csv": frame.write_csv,
        ".tsv": lambda p: frame.write_csv(p, separator="\t"),
        ".parquet": frame.write_parquet,
        ".jsonl": frame.write_ndjson,
        ".json": frame.write_json,
    }[path.suffix](path)
    return path


@pytest.fixture(params=NAMES)
def beside(request, tmp_path):
    """Write a file under an odd name, with a link to outside that it might be a pattern of."""

    def written(ending):
        folder = tmp_path / "run[1]"
        folder.mkdir()
        outside = write(THEIRS, tmp_path / f"outside{ending}")
        (folder / f"run1{ending}").symlink_to(outside)
        return write(OURS, folder / f"{request.param}{ending}")

    return written


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".jsonl", ".json"])
def test_an_imported_table_is_the_file_of_that_name(beside, ending):
    path = beside(ending)
    (log,) = read(LogSource(kind=SourceKind.TABLE, files=(path,), root=path.parent), Tally(Limits()))
    assert log.points.select("step", "metric", "value").equals(OURS)


def test_a_folder_of_parquet_is_read_file_by_file(beside):
    path = beside(".parquet")
    (path.parent / "run1.parquet").unlink()
    store = open_store(f"parquet:///{path.parent}")
    assert store.points(store.runs()["run_id"].to_list()).select("step", "metric", "value").equals(OURS)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_an_export_goes_into_a_folder_and_a_file_of_any_name(tmp_path, ending):
    parts = [pl.DataFrame({**dict.fromkeys(EXPORT_SCHEMA, None), "step": [s]}, EXPORT_SCHEMA) for s in (1, 2)]
    (tmp_path / "out[1]{}").mkdir()
    path = tmp_path / "out[1]{}" / f"*[2]{ending}"
    assert write_points(parts, path) == 2
    assert list(path.parent.iterdir()) == [path]
    read_back = {".csv": pl.read_csv, ".parquet": pl.read_parquet}[ending]
    assert read_back(path, glob=False)["step"].to_list() == [1, 2]


def test_the_mirror_lies_in_a_folder_of_any_name(client, new_run, log, reference, tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home[1]*"))
    run = new_run()
    log(run, *[("a", step, step, step / 7) for step in range(300)])
    for _ in range(2):
        store = open_store(client.tracking_uri)
        assert_frame_equal(store.points([run]), reference([run]))
        monkeypatch.setattr("grokscope.store.sqlite.histories.history", None)  # from now on by the mirror
        store.close()
