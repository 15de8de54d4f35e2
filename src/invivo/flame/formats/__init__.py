"""One file a format: a function that reads it, one that writes it, or both. `flame.files` has the table of them."""
