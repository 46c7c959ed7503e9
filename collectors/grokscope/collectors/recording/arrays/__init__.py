"""Small arrays that a user logs, from any kind of values and labels to what a sink takes."""
