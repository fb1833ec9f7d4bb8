"""A Python operator under dora's own runtime: few colours instead of many. dataflow.python.yml has it in the graph.

A message's metadata comes with it and must go on with the picture: that is where stamp, prompt and trace are. Each picture is
said to be taken up before it is worked on, so that the decoder does not send the next one over it. dora starts no operator
again that has failed, so what goes wrong here is said once and the picture passes unchanged.
"""

import time

import numpy
import pyarrow
from dora import DoraStatus

# How many values each colour has.
LEVELS = 5

# What a message without a body is made of, and its metadata: which picture is meant.
NOTHING = pyarrow.array([], type=pyarrow.uint8())
STAMP = ("stream", "frame_id", "captured_ns")

TABLE = numpy.round(numpy.arange(256) * LEVELS // 256 * 255 / (LEVELS - 1)).astype(numpy.uint8)


def posterise(pixels):
    """The same picture in few colours: u8 values in any order."""
    return TABLE[pixels]


class Operator:
    """One picture in, one picture of the same size out. dora looks for a class of this name."""

    def __init__(self):
        self.failed = False

    def on_event(self, event, send_output):
        """`picture`: UInt8, `[height, width, 3]` as `shape` in the metadata says."""
        if event["type"] == "INPUT" and event["id"] == "picture":
            received = time.time_ns()
            send_output("taken", NOTHING, {key: event["metadata"][key] for key in STAMP})
            send_output("picture", self.paint(event["value"]), signed(event["metadata"], received))
        return DoraStatus.CONTINUE

    def paint(self, picture):
        """The painted picture, or the one that came."""
        try:
            return pyarrow.array(posterise(picture.to_numpy(zero_copy_only=True)))
        except Exception as error:
            if not self.failed:
                print(f"pictures pass unchanged: {error}", flush=True)
            self.failed = True
            return picture


def signed(metadata, received):
    """Adds this stage to the trace: the sinks show the time of each."""
    metadata["trace_stages"] = [*metadata["trace_stages"], "posterise"]
    metadata["trace_ns"] = [*metadata["trace_ns"], received, time.time_ns()]
    # dora does not tell a Python operator what it has dropped.
    metadata["trace_drops"] = [*metadata["trace_drops"], 0]
    return metadata
