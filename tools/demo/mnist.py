"""MNIST from its four IDX files (http://yann.lecun.com/exdb/mnist describes the format)."""

import math
import pathlib
import struct

ROWS = {"train": 60000, "t10k": 10000}
SIDE = 28


class Digits:
    """Images as one bytes object of 784 a row, labels as one byte a row."""

    def __init__(self, images: bytes, labels: bytes):
        self.images = images
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def frame(self, row: int, labelled: bool) -> bytes:
        """A camera frame: the user's label (255: none given), then the pixels."""
        label = self.labels[row : row + 1] if labelled else b"\xff"
        return label + self.images[row * SIDE * SIDE : (row + 1) * SIDE * SIDE]


def load(folder: pathlib.Path, part: str) -> Digits:
    images = _read_idx(folder / f"{part}-images-idx3-ubyte", (ROWS[part], SIDE, SIDE))
    labels = _read_idx(folder / f"{part}-labels-idx1-ubyte", (ROWS[part],))
    return Digits(images, labels)


def _read_idx(path: pathlib.Path, shape: tuple) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SystemExit(f"demo: {path} cannot be read ({error.strerror}): run 'make setup', which fetches MNIST")
    header = struct.pack(">BBBB", 0, 0, 8, len(shape)) + struct.pack(f">{len(shape)}I", *shape)
    expected = len(header) + math.prod(shape)
    if data[: len(header)] != header or len(data) != expected:
        raise SystemExit(f"demo: {path} is not the MNIST file of that name: delete tools/npm/node_modules and run 'make setup'")
    return data[len(header) :]
