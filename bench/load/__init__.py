"""The callers: wrk for whole answers, a client of our own for streams."""
