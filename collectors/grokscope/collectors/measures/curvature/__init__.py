"""The loss surface around the parameters."""
