"""The page that says how store, machine and runs are."""
