"""Why the local model cannot be had."""


class ModelUnavailable(Exception):
    """The local model cannot be fetched or started; the message is a sentence for people."""
