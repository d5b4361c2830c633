"""The one error that is shown to people."""


class PricerError(Exception):
    """Something that a person can put right; pages and the command line show its message as it is."""
