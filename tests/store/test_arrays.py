"""Arrays are read back as they were logged, however a store is reached; bad files cost only themselves."""

import io
import math
import os
from array import array
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest
from mlflow import MlflowClient

from grokscope.schemas.arrays import FOLDER, MOST_FILE_BYTES, Axis, LoggedArray, array_file, cells
from grokscope.store import RunNotFoundError, StoreError, open_store
from grokscope.store.arrays import places
from grokscope.store.arrays.listing import MOST_ARTIFACTS, MOST_FOLDERS, Entry, listed
from grokscope.store.arrays.places import PlacedArtifacts
from grokscope.store.arrays.reading import ArrayReader


def norms(step: int, *values: float, time_ms: int = 1000, name: str = "norms") -> LoggedArray:
    return LoggedArray(
        name=name,
        step=step,
        time_ms=time_ms,
        precision="float64",
        shape=(len(values), 1),
        axes=(Axis(name="layer", labels=tuple("abcdefgh"[: len(values)])), Axis(name="k")),
        data=array("d", values).tobytes(),
    )


@pytest.fixture
def put(tmp_path):
    """Give a function that puts a file among a run's arrays: of arrays, or of any bytes."""

    def log(client: MlflowClient, run: str, name: str, *arrays: LoggedArray, content: bytes = b"") -> None:
        (tmp_path / name).write_bytes(content or array_file(arrays))
        client.log_artifact(run, str(tmp_path / name), FOLDER)

    return log


def artifacts(client: MlflowClient, run: str) -> Path:
    return Path(urlsplit(client.get_run(run).info.artifact_uri).path) / FOLDER


def test_arrays_are_the_same_through_every_transport(store, client, new_run, put):
    run = new_run()
    put(client, run, "1.parquet", norms(3, 1.0, math.nan), norms(0, -math.inf, 5e-324, name="spectrum"))
    put(client, run, "2.parquet", norms(3, 7.0, 8.0, time_ms=2000), norms(9, 2.0))
    read = store.arrays([run])
    assert read.left_out == ()
    assert read.frame.select("name", "step", "time_ms", "shape", "values").rows() == [
        ("norms", 3, 2000, [2, 1], [7.0, 8.0]),
        ("norms", 9, 1000, [1, 1], [2.0]),
        ("spectrum", 0, 1000, [2, 1], [-math.inf, 5e-324]),
    ]
    assert read.frame.select("run_id", "axes", "labels").row(0) == (run, ["layer", "k"], [["a", "b"], []])
    assert store.arrays([run], ["spectrum"]).frame["step"].to_list() == [0]
    assert store.arrays([run], ["no such"]).frame.is_empty()
    put(client, run, "2.parquet", norms(3, 7.0, 8.0, time_ms=2000), norms(9, 2.0), norms(20, 4.0))
    assert store.arrays([run], ["norms"]).frame["step"].to_list() == [3, 9, 20]


def test_a_run_without_arrays_and_one_that_is_none(store, new_run):
    assert store.arrays([new_run()]).frame.is_empty()
    with pytest.raises(RunNotFoundError, match="run 'none' does not exist"):
        store.arrays(["none"])


def test_a_bad_file_is_told_and_takes_no_other_with_it(store, client, new_run, put):
    run = new_run()
    put(client, run, "good.parquet", norms(1, 1.0))
    put(client, run, "cut.parquet", content=array_file([norms(2, 1.0)])[:-9])
    put(client, run, "large.parquet", content=b"PAR1" + bytes(MOST_FILE_BYTES))
    put(client, run, "note.txt", content=b"a note")
    other = io.BytesIO()
    pl.DataFrame({"metric": ["m"]}).write_parquet(other)
    put(client, run, "other.parquet", content=other.getvalue())
    read = store.arrays([run])
    assert read.frame["step"].to_list() == [1]
    told = {sentence.partition(" ")[0]: sentence for sentence in read.left_out}
    assert sorted(told) == ["cut.parquet", "large.parquet", "other.parquet"]
    assert "and may have 16,777,216" in told["large.parquet"]
    assert "its columns are metric" in told["other.parquet"]


def test_a_file_that_is_being_replaced_is_shown_as_it_was(client, new_run, shared_file, put):
    run = new_run()
    store = open_store(f"sqlite:///{shared_file}")
    put(client, run, "1.parquet", norms(1, 1.0))
    store.arrays([run])
    place = artifacts(client, run) / "1.parquet"
    whole = place.read_bytes()
    place.write_bytes(whole[: len(whole) // 2])
    read = store.arrays([run])
    assert (read.frame["step"].to_list(), read.left_out) == ([1], ())


def test_what_was_read_is_not_read_again(client, new_run, shared_file, monkeypatch, put):
    run = new_run()
    store = open_store(f"sqlite:///{shared_file}")
    put(client, run, "1.parquet", norms(1, 1.0))
    before = store.arrays([run]).frame
    monkeypatch.setattr(PlacedArtifacts, "content", None)
    assert store.arrays([run]).frame.equals(before)
    store.close()
    with pytest.raises(TypeError):
        store.arrays([run])


def test_no_link_is_followed_and_what_it_leads_to_is_not_read(client, new_run, shared_file, tmp_path):
    secret = tmp_path / "secret.parquet"
    secret.write_bytes(array_file([norms(1, 1.0)]))
    linked, placed = new_run(), new_run()
    artifacts(client, linked).mkdir(parents=True)
    (artifacts(client, linked) / "1.parquet").symlink_to(secret)
    os.mkfifo(artifacts(client, linked) / "2.parquet")
    artifacts(client, placed).parent.mkdir(parents=True)
    artifacts(client, placed).symlink_to(tmp_path)
    read = open_store(f"sqlite:///{shared_file}").arrays([linked, placed])
    assert read.frame.is_empty()
    assert [placed in sentence and "is a link" in sentence for sentence in read.left_out] == [True]


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://169.254.169.254/latest", "folders and object stores only"),
        ("ftp://u:secret@host/x", "folders and object stores only"),
        ("file://host/share", "folders and object stores only"),
        ("../../etc", "folders and object stores only"),
        ("mlflow-artifacts:/1/r/artifacts", "open the store by the server's address"),
    ],
)
def test_no_address_is_asked_that_is_no_folder_or_object_store(place, why):
    read = ArrayReader(PlacedArtifacts("sqlite:///no.db", lambda _: place)).read(["r"])
    assert read.frame.is_empty()
    assert why in read.left_out[0]
    assert "secret" not in read.left_out[0]


def test_through_a_server_what_it_calls_the_place_is_never_looked_at(
    client, server, tmp_path, put, monkeypatch
):
    number = client.create_experiment(f"elsewhere {tmp_path.name}", f"file://{tmp_path}/elsewhere")
    run = client.create_run(number).info.run_id
    put(client, run, "1.parquet", norms(1, 1.0))
    monkeypatch.setattr(PlacedArtifacts, "files", None)
    monkeypatch.setattr(places, "folder_of", None)
    assert open_store(server).arrays([run]).frame["step"].to_list() == [1]


def test_all_artifacts_are_listed_alike_from_a_folder_and_through_a_server(
    client, new_run, server, shared_file, tmp_path
):
    run = new_run()
    client.log_text(run, "abc", "notes.txt")
    client.log_text(run, "defgh", "model/weights/<b>.bin")
    (artifacts(client, run).parents[1] / "link").symlink_to(tmp_path)
    wanted = (("model/weights/<b>.bin", 5), ("notes.txt", 3))
    local, remote = (open_store(uri).artifacts(run) for uri in (f"sqlite:///{shared_file}", server))
    assert (local.files, local.place, local.is_whole) == (wanted, artifacts(client, run).parents[1], True)
    assert remote.place is None
    assert set(wanted) <= set(remote.files)


def test_no_folder_is_listed_that_is_not_a_runs_own(client, shared_file, tmp_path):
    (tmp_path / "secret.txt").write_text("x")
    with pytest.raises(StoreError, match="no folder that MLflow makes for a run"):
        PlacedArtifacts("sqlite:///no.db", lambda _: str(tmp_path)).listed("r")
    own = tmp_path / "r" / "artifacts"
    own.parent.mkdir()
    own.symlink_to(tmp_path)
    with pytest.raises(StoreError, match="is a link"):
        PlacedArtifacts("sqlite:///no.db", lambda _: str(own)).listed("r")


def test_a_list_of_artifacts_ends_and_says_that_it_is_cut():
    endless = listed(lambda folder: [Entry("deeper", 0, True), Entry("file", 1, False)], place=None)
    assert (len(endless.files), endless.is_whole) == (MOST_FOLDERS, False)
    wide = listed(lambda folder: [Entry(str(i), 1, False) for i in range(2000)], place=None)
    assert (len(wide.files), wide.is_whole) == (MOST_ARTIFACTS, False)


def test_artifacts_that_a_server_keeps_are_read_through_it_alone(server, shared_file, tmp_path, put):
    sender = MlflowClient(tracking_uri=server)
    run = sender.create_run(sender.create_experiment(f"kept {tmp_path.name}")).info.run_id
    put(sender, run, "1.parquet", norms(1, 1.0))
    assert open_store(server).arrays([run]).frame["step"].to_list() == [1]
    (sentence,) = open_store(f"sqlite:///{shared_file}").arrays([run]).left_out
    assert "open the store by the server's address" in sentence


def test_what_lies_in_an_object_store_is_read_by_mlflows_client_and_nothing_is_drawn(
    server, shared_file, tmp_path, put, monkeypatch, capfd
):
    # The server's artifacts in the part of an object store: MLflow's client asks for both in the same way.
    monkeypatch.setattr(places, "_OBJECT_STORES", frozenset({"http"}))
    sender = MlflowClient(f"sqlite:///{shared_file}")
    place = f"{server}/api/2.0/mlflow-artifacts/artifacts/{tmp_path.name}"
    run = sender.create_run(sender.create_experiment(f"objects {tmp_path.name}", place)).info.run_id
    store = open_store(f"sqlite:///{shared_file}")
    for steps in ([1], [1, 2], [1, 2, 3]):
        put(sender, run, "1.parquet", *(norms(step, 1.0) for step in steps))
        read = store.arrays([run])
        assert (read.frame["step"].to_list(), read.left_out) == (steps, ())
    assert "Downloading" not in capfd.readouterr().err
    assert "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR" not in os.environ


def test_one_row_a_value_is_made_of_arrays(client, new_run, shared_file, put):
    run = new_run()
    put(client, run, "1.parquet", norms(4, 1.0, 2.0))
    frame = cells(open_store(f"sqlite:///{shared_file}").arrays([run]).frame)
    assert frame.drop("run_id").rows() == [
        ("norms", 4, 0, 0, "a", "0", 1.0),
        ("norms", 4, 1, 0, "b", "0", 2.0),
    ]


def test_arrays_of_a_database_are_read_too(logged, writer, database, put):
    run = logged(("m", 1, 1000, 0.5))
    put(writer, run, "1.parquet", norms(4, 1.0))
    assert open_store(database).arrays([run]).frame["step"].to_list() == [4]


def aborting(content: bytes) -> bytes:
    """Return the file with one byte changed: polars asks for 2⁶¹ bytes to read it, and ends its process."""
    return content[:43] + b"\x7f" + content[44:]


def test_a_file_that_would_end_the_process_that_reads_it_costs_only_itself(store, client, new_run, put):
    run = new_run()
    arrays = [norms(step, 1.0, 2.0, 3.0, step + 0.5) for step in range(3)]
    put(client, run, "1.parquet", content=aborting(array_file(arrays)))
    put(client, run, "2.parquet", norms(9, 2.0))
    read = store.arrays([run])
    assert read.frame["step"].to_list() == [9]
    assert len(read.left_out) == 1
    assert f"1.parquet of run {run!r} is left out: it " in read.left_out[0]
