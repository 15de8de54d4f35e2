"""Attaching programs: one file an attach kind. Each `attach` returns a Link, which detaches when closed."""
