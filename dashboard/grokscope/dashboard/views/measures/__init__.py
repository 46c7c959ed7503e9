"""The page that says which measure moved first, over runs."""
