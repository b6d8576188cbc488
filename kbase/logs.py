"""How log lines look."""

import logging


class OneLine(logging.Formatter):
    """Keep a message and its traceback on one line: a line is what log collectors understand as an event.

    It also keeps a request's text from forging a line of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")
