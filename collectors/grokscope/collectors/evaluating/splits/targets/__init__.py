"""What targets are, which loss is taken of them, and which of them are left out."""
