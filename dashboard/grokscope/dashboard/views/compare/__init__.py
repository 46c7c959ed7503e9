"""The page that puts selected runs over each other."""
