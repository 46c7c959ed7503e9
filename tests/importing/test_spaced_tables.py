"""Tables in any text: with spaces between cells, headers in comments, and columns of fixed width."""

# ruff: noqa: E501 -- lines are as long as programs write them

import pytest

CURVES = {"train_loss": {0: 2.5, 10: 1.5}, "val_acc": {0: 0.25, 10: 0.5}}

TABLES = {
    "a header and spaces": (
        "a.txt",
        "step  train_loss  val_acc\n   0  2.5   0.25\n  10  1.5   0.5\n",
        CURVES,
    ),
    "gnuplot": (
        "a.dat",
        "# made by run 7\n# step train_loss val_acc\n0 2.5 0.25\n\n# saved\n10\t1.5\t0.5\n",
        CURVES,
    ),
    "gnuplot, without a space": ("a.dat", "#step train_loss val_acc\n0 2.5 2.5e-1\n10 1.5 .5\n", CURVES),
    "a comment in a .csv": ("a.csv", "# step,train_loss,val_acc\n0,2.5,0.25\n10,1.5,0.5\n", CURVES),
    "commas in the header only (NumPy)": (
        "a.dat",
        "# step, train_loss, val_acc\n0.0e+00 2.5e+00 2.5e-01\n1.0e+01 1.5e+00 5.0e-01\n",
        CURVES,
    ),
    "tabs in a .log": ("train.log", "step\ttrain_loss\tval_acc\n0\t2.5\t0.25\n10\t1.5\t0.5\n", CURVES),
    "commas in a .txt": ("a.txt", "step,train_loss,val_acc\n0,2.5,0.25\n10,1.5,0.5\n", CURVES),
    "spaces in a .csv": ("a.csv", "step train_loss val_acc\n0 2.5 0.25\n10 1.5 0.5\n", CURVES),
    "names of several words": (
        "a.txt",
        "step    train loss    val acc\n   0           2.5       0.25\n  10           1.5        0.5\n",
        {"train loss": {0: 2.5, 10: 1.5}, "val acc": {0: 0.25, 10: 0.5}},
    ),
    "empty cells, flush right": (
        "a.txt",
        "step  train_loss  val_acc\n   0         2.5         \n   5                 0.25\n  10         1.5      0.5\n",
        {"train_loss": {0: 2.5, 10: 1.5}, "val_acc": {5: 0.25, 10: 0.5}},
    ),
    "empty cells, flush left": (
        "a.txt",
        "step  train_loss  val_acc\n0     2.5\n5                 0.25\n10    1.5         0.5\n",
        {"train_loss": {0: 2.5, 10: 1.5}, "val_acc": {5: 0.25, 10: 0.5}},
    ),
    "a data frame printed with its index": (
        "a.txt",
        "   step  train_loss  val_acc\n0     0         2.5     0.25\n1    10         1.5     0.50\n",
        CURVES,
    ),
}

OTHERS = {
    "a.txt": "1.0 2.0 3.0\n4.0 5.0 6.0\n",
    "b.txt": "name value note\nx 1 2\ny 3 4\n",
    "c.log": "step 1: nothing yet\nstep 2: nothing yet\n",
    "d.txt": "# step by step\n1 apple 2\n2 pears 3\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_in_any_text_gives_exactly_its_points(runs_in, tmp_path, name):
    file, text, wanted = TABLES[name]
    (tmp_path / file).write_text(text)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert (curves, run.kind, run.notes) == (wanted, "table", ())


def test_a_table_of_scores_with_tabs_needs_no_steps(runs_in, tmp_path):
    (tmp_path / "log.txt").write_text(
        "Learning Rate\tTrain Loss\tValid Acc.\t\n0.1\t2.5\t25.0\t\n0.1\t1.5\t50.0\t\n"
    )
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves == {
        "Learning Rate": {0: 0.1, 1: 0.1},
        "Train Loss": {0: 2.5, 1: 1.5},
        "Valid Acc.": {0: 25.0, 1: 50.0},
    }
    assert run.notes == ("it has no column of steps: rows are counted, from 0",)


def test_records_of_json_in_any_text_need_no_steps(runs_in, tmp_path):
    rows = '{"train_loss": 2.5, "test_acc": 25, "test_coco": [1, 2]}\n{"train_loss": 1.5, "test_acc": 50}\n'
    (tmp_path / "log.txt").write_text(rows)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves == {"train_loss": {0: 2.5, 1: 1.5}, "test_acc": {0: 25.0, 1: 50.0}}
    assert run.notes == ("it has no column of steps: rows are counted, from 0",)


def test_what_is_said_between_the_rows_of_a_table_is_left_out_and_counted(runs_in, tmp_path):
    rows = "epoch  train_loss  time\n0  2.5  00:10\nBetter model found at epoch 0.\n1  1.5  00:11\n"
    (tmp_path / "out.txt").write_text(rows)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves == {"train_loss": {0: 2.5, 1: 1.5}}
    assert run.notes == ("1 of its lines do not begin with a number and are left out",)


def test_what_is_no_table_of_curves_is_passed_over_and_no_error(runs_in, tmp_path):
    for name, text in OTHERS.items():
        (tmp_path / name).write_text(text)
    runs, skipped = runs_in(tmp_path)
    assert runs == {}
    assert {name: one.is_error for name, one in skipped.items()} == dict.fromkeys(OTHERS, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "# step, loss_train, loss_test\n0.0 1 2 3 4\n1.0 1 2 3 4\n",
            "'a.dat' has rows of 5 cells below a header of 3 names; write a name a column",
        ),
        (
            "step  loss  acc\n1 2\n3 4 5\n",
            "'a.dat' has a row in which '2' stands under no name of its own; fill its empty cells with nan",
        ),
    ],
)
def test_a_table_whose_cells_belong_to_no_column_is_told_what_to_do(runs_in, tmp_path, text, said):
    (tmp_path / "a.dat").write_text(text)
    (one,) = runs_in(tmp_path)[1].values()
    assert said in one.reason
    assert one.is_error


def test_a_file_of_numbers_only_is_asked_for_the_names_of_its_columns(runs_in, tmp_path):
    (tmp_path / "a.dat").write_text("0 2.5\n10 1.5\n")
    (one,) = runs_in(tmp_path / "a.dat", kind="table")[1].values()
    assert "'a.dat' begins with numbers; write a line with the names of its columns above them" in one.reason
