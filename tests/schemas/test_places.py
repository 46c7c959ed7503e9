"""Where things live: one rule for the writing and the reading side."""

from pathlib import Path

import pytest

from grokscope.schemas import NoHomeError, home, sqlite_path, store_uri


def test_the_given_store_wins_over_the_environment_and_that_over_mlflows_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    env = {"MLFLOW_TRACKING_URI": "http://host:5000"}
    assert store_uri("http://other", env=env) == "http://other"
    assert store_uri(None, env=env) == "http://host:5000"
    assert store_uri(None, env={}) == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_relative_file_is_the_same_store_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert store_uri("sqlite:///runs.db", env={}) == f"sqlite:///{tmp_path}/runs.db"
    assert sqlite_path("sqlite:////a/runs.db?timeout=1") == Path("/a/runs.db")


def test_state_lives_where_the_user_says_else_where_the_platform_does(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home(env={"GROKSCOPE_HOME": "/data/g"}) == Path("/data/g")
    assert home(env={"XDG_DATA_HOME": str(tmp_path / "x")}) == tmp_path / "x" / "grokscope"
    assert home(env={}).is_relative_to(tmp_path)


def test_a_home_that_is_nobody_s_is_told_in_one_sentence():
    with pytest.raises(NoHomeError, match=r"GROKSCOPE_HOME is '~nosuchuser/x', and no folder .*; set it to"):
        home(env={"GROKSCOPE_HOME": "~nosuchuser/x"})


def test_a_link_that_the_user_names_is_followed_and_one_in_a_circle_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert home(env={"GROKSCOPE_HOME": str(tmp_path / "link")}) == tmp_path / "elsewhere"
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(NoHomeError, match="no folder for spools and state"):
        home(env={"GROKSCOPE_HOME": str(tmp_path / "circle")})
