"""Files that processes share: who may have written them, how they are replaced, and who holds them."""
