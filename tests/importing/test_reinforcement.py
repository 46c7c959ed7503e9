"""Stable-Baselines3 and its relatives: monitors of episodes, and boxes of names and values."""

import pytest

from grokscope.schemas import readings, resolve


def monitor(start, *rows, env='"CartPole-v1"'):
    return f'#{{"t_start": {start}, "env_id": {env}}}\nr,l,t,is_success\n' + "".join(
        f"{row}\n" for row in rows
    )


def test_a_monitor_is_a_curve_over_the_steps_of_its_episodes(runs_in, tmp_path):
    rows = ("20.5,20,1.5,0", "31.0,31,2.0,1", "r,l,t,is_success", "1.0,nan,3,1", "9.0,10,4.5,1")
    (tmp_path / "ppo" / "logs").mkdir(parents=True)
    (tmp_path / "ppo" / "logs" / "monitor.csv").write_text(monitor(1.7e9, *rows))
    ((name, (curves, run)),) = runs_in(tmp_path)[0].items()
    assert name == "ppo/logs"
    assert curves == {
        "rollout/episode_reward": {20: 20.5, 51: 31.0, 61: 9.0},
        "rollout/episode_length": {20: 20.0, 51: 31.0, 61: 10.0},
        "is_success": {20: 0.0, 51: 1.0, 61: 1.0},
    }
    assert resolve(readings(curves))["rollout/episode_reward"] == "train/reward"
    assert run.params == {"env_id": "CartPole-v1"}
    assert run.notes == (
        "its steps are those of the episodes, counted together",
        "1 of its rows are no episodes and left out",
    )


def test_monitors_of_environments_side_by_side_are_one_run_in_the_order_of_their_ends(runs_in, tmp_path):
    (tmp_path / "0.monitor.csv").write_text(monitor(100, "1,10,1", "2,10,5"))
    (tmp_path / "1.monitor.csv").write_text(monitor(101, "3,20,1.5"))
    (tmp_path / "eval_monitor.csv").write_text(monitor(100, "4,30,1", env="null"))
    (tmp_path / "2.monitor.csv").write_text('#{"t_start": \n')
    runs, skipped = runs_in(tmp_path)
    assert sorted((run.source, curves["rollout/episode_reward"]) for curves, run in runs.values()) == [
        ("0.monitor.csv", {10: 1.0, 30: 3.0, 40: 2.0}),
        ("eval_monitor.csv", {30: 4.0}),
    ]
    assert "'2.monitor.csv' begins with a header that is not whole" in skipped["2.monitor.csv"].reason


def test_a_monitor_in_which_no_episode_ended_is_no_log(runs_in, tmp_path):
    (tmp_path / "monitor.csv").write_text(monitor(100))
    runs, skipped = runs_in(tmp_path)
    assert runs == {}
    assert [(one.reason, one.is_error) for one in skipped.values()] == [("no episode of it has ended", False)]


STABLE = """Using cpu device
----------------------------------
| rollout/           |           |
|    ep_len_mean     | 22.5      |
|    ep_rew_mean     | -159      |
| time/              |           |
|    fps             | 2584      |
|    iterations      | 1         |
|    total_timesteps | 16384     |
----------------------------------
Eval num_timesteps=20000, episode_reward=-1.00 +/- 0.50
----------------------------------
| eval/              |           |
|    mean_reward     | 1.25e+03  |
| time/              |           |
|    total_timesteps | 32768     |
| train/             |           |
|    loss            | nan       |
|    clip_range      | None      |
----------------------------------
"""
SPINNING = """--------------------------------------
|             Epoch |               0 |
|      AverageEpRet |            -480 |
|  TotalEnvInteracts |           4e+03 |
--------------------------------------
--------------------------------------
|             Epoch |               1 |
|      AverageEpRet |            -240 |
|  TotalEnvInteracts |           8e+03 |
--------------------------------------
"""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            STABLE,
            {
                "rollout/ep_len_mean": {16384: 22.5},
                "rollout/ep_rew_mean": {16384: -159.0},
                "time/fps": {16384: 2584.0},
                "time/iterations": {16384: 1.0},
                "eval/mean_reward": {32768: 1250.0},
                "train/loss": {32768: float("nan")},
            },
        ),
        (SPINNING, {"Epoch": {4000: 0.0, 8000: 1.0}, "AverageEpRet": {4000: -480.0, 8000: -240.0}}),
    ],
)
def test_boxes_of_a_console_are_readings_at_their_step(runs_in, tmp_path, text, wanted):
    (tmp_path / "console.log").write_text(text)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert repr(curves) == repr(wanted)
    assert run.notes == ("its lines were read as boxes of names and values",)
