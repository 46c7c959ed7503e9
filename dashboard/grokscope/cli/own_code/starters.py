"""A small script for each framework that trains as it stands, with the framework's lines in it."""

from collections.abc import Mapping
from types import MappingProxyType

from grokscope.cli.own_code.snippets import SNIPPETS, Framework

_HEAD = '''\
"""A small training that grokscope follows: run it, then look at it with `grokscope up`.

The numbered lines are all there is to add to a training of your own.
"""
'''
_TORCH = """\
import torch
from torch import nn
from torch.nn.functional import cross_entropy
"""
_DATA = """\
from torch.utils.data import DataLoader, TensorDataset
"""
_POINTS = '''\
def points(n):
    """Return n noisy points around ten centres, and to which centre each belongs."""
    targets = torch.arange(n) % 10
    centres = torch.randn(10, 16, generator=torch.Generator().manual_seed(7))
    return centres[targets] + 0.5 * torch.randn(n, 16), targets


'''
_MODEL = """\
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
"""
_STEP = '''\
def train_step(model, batch):
    """Return the loss of a batch, after a step of the optimizer."""
    inputs, targets = batch
    loss = cross_entropy(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


'''
_WORDS = '''\
def rows(n):
    """Return n rows of eight tokens; the label says whether the first is among the others."""
    tokens = torch.randint(0, 8, (n, 8))
    labels = (tokens[:, :1] == tokens[:, 1:]).any(dim=1).long()
    return Dataset.from_dict({"input_ids": tokens.tolist(), "labels": labels.tolist()})


'''
_MODULE = '''\
class Classifier(LightningModule):
    """A small classifier."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, inputs):
        return self.layers(inputs)

    def training_step(self, batch, _):
        return cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


'''
# What is imported, and what comes before the framework's lines.
_SETUPS: Mapping[Framework, tuple[str, str]] = MappingProxyType(
    {
        Framework.LOADER: (
            _TORCH + _DATA,
            (f"{_POINTS}{_STEP}{_MODEL}"
            "train_loader = DataLoader(TensorDataset(*points(5000)), batch_size=50, shuffle=True)\n"
            "test_loader = DataLoader(TensorDataset(*points(500)), batch_size=500)\n"),
        ),
        Framework.TENSORS: (
            _TORCH,
            (f"{_POINTS}{_STEP}{_MODEL}train_set, test_set = points(500), points(200)\n"
            "batches = [train_set] * 100\n"),
        ),
        Framework.HUGGING_FACE: (
            ("import torch\nfrom datasets import Dataset\n"
"from transformers import BertConfig, BertForSequenceClassification\n"
            "from transformers import Trainer, TrainingArguments\n"),
            f"{_WORDS}torch.manual_seed(0)\n"
            "size = {'vocab_size': 8, 'hidden_size': 32, 'num_hidden_layers': 1, 'num_attention_heads': 2}\n"
            "model = BertForSequenceClassification(BertConfig(**size, intermediate_size=64))\n"
            "arguments = TrainingArguments(\n"
            "    'trained', max_steps=20, learning_rate=1e-3, logging_steps=5, report_to=[]\n"
            ")\n"
            "train_set, test_set = rows(200), rows(100)\n".replace("'", '"'),
        ),
        Framework.LIGHTNING: (
            f"{_TORCH}from lightning.pytorch import LightningModule, Trainer\n{_DATA}",
            (f"{_POINTS}{_MODULE}torch.manual_seed(0)\nmodule, test_set = Classifier(), points(200)\n"
            "loader = DataLoader(TensorDataset(*points(500)), batch_size=50)\n"),
        ),
        Framework.ACCELERATE: (
            f"{_TORCH}from accelerate import Accelerator\n{_DATA}",
            (f"{_POINTS}{_MODEL}accelerator, test_set = Accelerator(), points(200)\n"
            "loader = DataLoader(TensorDataset(*points(5000)), batch_size=50)\n"),
        ),
        Framework.KERAS: (
            'import os\n\nos.environ["KERAS_BACKEND"] = "torch"\n\nimport keras\nimport torch\n',
            (f"{_POINTS}keras.utils.set_random_seed(0)\n"
            'layers = [keras.Input((16,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(10)]\n'
            "model = keras.Sequential(layers)\n"
            "loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
            'model.compile("adam", loss, metrics=["accuracy"])\n'
            "inputs, targets = (tensor.numpy() for tensor in points(500))\n"
            "test_set = points(200)\n"
            "held_out = tuple(tensor.numpy() for tensor in test_set)\n"),
        ),
        Framework.WANDB: ("from torch import nn\n", "model = nn.Linear(16, 10)\n"),
        Framework.MLFLOW: ("", 'mlflow.set_tracking_uri("sqlite:///mlflow.db")\nmlflow.set_experiment("my-experiment")\n'),
    }
)  # fmt: skip


def starter(framework: Framework) -> str:
    """Return a script that trains something small in a framework, and is followed.

    >>> "with spooled(mlflow):  # 2" in starter(Framework.MLFLOW)
    True
    """
    imports, setup = _SETUPS[framework]
    own_imports, _, body = SNIPPETS[framework].code().partition("\n\n")
    gap = "\n\n" if setup.startswith(("def", "class")) else "\n"
    return f"{_HEAD}\n{imports}\n{own_imports}\n{gap}{setup}\n{body}"
