"""The network of the digits pipeline in Python's torch, trained as its users would: prints seconds as JSON.

    torch_peer.py MNIST_FOLDER EPOCHS BATCH LEARNING_RATE THREADS

From raw bytes in memory to trained weights, with one pass over the validation rows an epoch, as hone's trainer does.
"""

import json
import pathlib
import sys
import time

import torch
from torch import nn

folder, epochs, batch, rate, threads = pathlib.Path(sys.argv[1]), *(float(a) for a in sys.argv[2:6])
epochs, batch = int(epochs), int(batch)
torch.set_num_threads(int(threads))


def idx(name: str, header: int) -> torch.Tensor:
    return torch.frombuffer(bytearray((folder / name).read_bytes()), dtype=torch.uint8)[header:]


images = idx("train-images-idx3-ubyte", 16).view(-1, 1, 28, 28)
labels = idx("train-labels-idx1-ubyte", 8).long()
began = time.perf_counter()
torch.manual_seed(1)
network = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10))
order = torch.randperm(len(images))
validation, fitted = order[: len(order) // 10], order[len(order) // 10 :]
optimiser = torch.optim.AdamW(network.parameters(), lr=rate)
steps = epochs * -(-len(fitted) // batch)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps)
loss_of = nn.CrossEntropyLoss()
for _ in range(epochs):
    for pick in fitted[torch.randperm(len(fitted))].split(batch):
        optimiser.zero_grad()
        loss_of(network(images[pick].float() / 255), labels[pick]).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        right = sum((network(images[pick].float() / 255).argmax(1) == labels[pick]).sum().item() for pick in validation.split(512))
seconds = time.perf_counter() - began
print(json.dumps({"torch": torch.__version__, "seconds": seconds, "rows": len(fitted) * epochs, "accuracy": right / len(validation)}))
