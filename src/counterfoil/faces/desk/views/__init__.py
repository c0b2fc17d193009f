"""The desk's pages: lists, a case and what is done to it, its evidence, and its way to court."""
