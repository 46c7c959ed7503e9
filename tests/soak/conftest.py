"""The scripts here are run as programs, which find each other beside them; they hold no tests."""

collect_ignore = ["cluster.py", "kills.py", "ledgers.py", "nemesis.py", "trainer.py", "weather.py"]
