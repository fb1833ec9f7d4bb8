"""What stops an export: one line for people."""


class ExportError(Exception):
    """Names the thing and the remedy."""
