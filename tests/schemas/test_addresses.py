"""One rule says what an address is: what one side takes the other takes too, or says why not."""

import re
from pathlib import Path

import pytest

from grokscope.collectors.arguments import checked_store
from grokscope.collectors.recording.run_ids import TrackerError
from grokscope.schemas import sqlite_path, store_uri
from grokscope.schemas.addresses import Kind, UnknownAddressError, address_of
from grokscope.store import StoreError, UnknownStoreError, open_store

# Address -> kind, and what it is for a client; None: the same.
KNOWN = {
    "sqlite:////data/m.db": (Kind.SQLITE, None),
    "sqlite:////data/m.db?timeout=1": (Kind.SQLITE, "sqlite:////data/m.db"),
    "sqlite+pysqlite:////data/m.db": (Kind.SQLITE, "sqlite:////data/m.db"),
    "SQLite:////data/m.db": (Kind.SQLITE, "sqlite:////data/m.db"),
    "sqlite:////data/50% of #1.db": (Kind.SQLITE, None),
    "sqlite:////data/a%20b.db": (Kind.SQLITE, None),
    "http://127.0.0.1:9": (Kind.SERVER, None),
    "https://ann:s3cret@mlflow.example.org/team": (Kind.SERVER, None),
    "HTTPS://mlflow.example.org": (Kind.SERVER, "https://mlflow.example.org"),
    "postgresql://ann:s3cret@db/m": (Kind.POSTGRES, None),
    "postgresql+psycopg2://db/m": (Kind.POSTGRES, None),
    "postgresql:///m?host=/run": (Kind.POSTGRES, None),
    "postgres://ann:s3cret@db/m": (Kind.POSTGRES, "postgresql://ann:s3cret@db/m"),
    "mysql+mysql_connector://db/m": (Kind.DATABASE, None),
    "mssql+pyodbc://db/m": (Kind.DATABASE, None),
    "parquet:////data/curves": (Kind.PARQUET, None),
    "databricks": (Kind.MLFLOW, None),
    "databricks://profile": (Kind.MLFLOW, None),
}
# Address -> how the sentence about it goes on.
UNKNOWN = {
    "": "is not the address of a store. Allowed: ",
    "./mlruns": "is not the address of a store. Allowed: ",
    "runs.db": "is not the address of a store. Did you mean sqlite:///runs.db?",
    "sqlite:runs.db": "is not the address of a store. Did you mean sqlite:///runs.db?",
    "localhost:5000": "is not the address of a store. Did you mean http://localhost:5000?",
    "file:///data/mlruns": "is a folder store, which MLflow 3 no longer opens. Move it",
    "file:mlruns": "is a folder store, which MLflow 3 no longer opens. Move it",
    "ftp://ann:s3cret@host": "has the unknown scheme 'ftp'. Allowed: ",
    "wandb://x": "has the unknown scheme 'wandb'. Allowed: ",
    "http+unix://x": "has the unknown scheme 'http+unix'. Allowed: ",
    "sqlite://": "names no file. Write sqlite:///relative/path",
    "sqlite:///": "names no file. Write sqlite:///relative/path",
    "sqlite:///:memory:": "names no file. Write sqlite:///relative/path",
    "sqlite://ann:s3cret@h/x.db": "names no file. Write sqlite:///relative/path",
    "parquet://curves": "names no file. Write parquet:///relative/path",
    "http://": "names no host. Allowed: ",
    "https:///": "names no host. Allowed: ",
    "postgresql://": "names no host. Allowed: ",
}


@pytest.mark.parametrize("uri", KNOWN)
def test_an_address_has_one_kind_and_one_form_which_is_its_own(uri):
    kind, form = KNOWN[uri]
    found = address_of(uri)
    assert (found.kind, found.uri) == (kind, form or uri)
    assert address_of(found.uri) == found
    assert "s3cret" not in found.shown
    assert "s3cret" not in repr(found)
    assert sqlite_path(uri) == (found.path if kind is Kind.SQLITE else None)


@pytest.mark.parametrize("uri", KNOWN)
def test_the_writing_side_takes_what_is_written_to_and_else_says_why_not(uri):
    found = address_of(uri)
    if found.why_not_written is None:
        assert checked_store(uri) == found.uri == store_uri(uri)
    else:
        with pytest.raises(TrackerError, match=re.escape(found.why_not_written)):
            checked_store(uri)


@pytest.mark.parametrize("uri", KNOWN)
def test_the_reading_side_takes_what_is_read_and_else_says_why_not(uri, monkeypatch):
    found = address_of(uri)
    opened = []
    # Nobody is there: what counts is whether it is tried.
    for name in ("_open_sqlite", "_open_server", "_open_postgres", "_open_database", "_open_folder"):
        monkeypatch.setattr(f"grokscope.store.opening.{name}", lambda found, **_: opened.append(found))
    if found.why_not_read is None:
        open_store(uri)
        assert opened == [found.path or found]
    else:
        with pytest.raises(StoreError, match=found.why_not_read):
            open_store(uri)


@pytest.mark.parametrize("uri", UNKNOWN)
def test_both_sides_refuse_what_is_no_address_with_the_same_reason(uri, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(UnknownAddressError) as refused:
        address_of(uri)
    assert refused.value.reason.startswith(UNKNOWN[uri])
    with pytest.raises(UnknownStoreError) as unread:
        open_store(uri)
    assert str(unread.value) == str(refused.value)
    assert "s3cret" not in str(unread.value)
    if uri:  # nothing given is the default
        with pytest.raises(TrackerError) as unwritten:
            checked_store(uri)
        assert str(unwritten.value).endswith(refused.value.reason)
        assert "s3cret" not in str(unwritten.value)


def test_what_is_neither_read_nor_written_does_not_exist():
    assert all(None in (found.why_not_read, found.why_not_written) for found in map(address_of, KNOWN))


def test_three_slashes_are_relative_to_the_working_folder_and_four_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert address_of("sqlite:///a/b%20c?d=1").path == tmp_path / "a/b%20c"
    assert address_of("parquet:///curves").uri == f"parquet:///{tmp_path}/curves"
    assert address_of("sqlite:////a").path == Path("/a")


def test_a_scheme_of_a_plugin_of_mlflow_is_taken_as_it_is():
    assert address_of("azureml://x", plugins={"azureml"}).uri == "azureml://x"
    assert address_of("./mlruns", plugins={"file", ""}).kind is Kind.MLFLOW


def test_a_working_folder_that_mlflow_would_misread_takes_no_store(tmp_path, monkeypatch):
    folder = tmp_path / "wh?t"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(TrackerError, match=r"no address can hold a \?"):
        checked_store("sqlite:///mlflow.db")


@pytest.mark.parametrize("given", ["u:s3cret@h:5000", "postgresql:/u:s3cret@h/db", "http:/u:s3cret@h"])
def test_a_mistyped_address_is_shown_without_its_password(given):
    with pytest.raises(UnknownAddressError) as refused:
        address_of(given)
    assert "s3cret" not in str(refused.value)
