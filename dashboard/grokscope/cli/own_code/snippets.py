"""The lines to add to a training, for each way to train: what README, docs and ``init`` show."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Template
from types import MappingProxyType


class Framework(StrEnum):
    """How somebody trains, or logs."""

    LOADER = "loader"
    TENSORS = "tensors"
    HUGGING_FACE = "hugging-face"
    LIGHTNING = "lightning"
    ACCELERATE = "accelerate"
    KERAS = "keras"
    WANDB = "wandb"
    MLFLOW = "mlflow"


class Anchor(StrEnum):
    """Where a line belongs."""

    IMPORTS = "with the imports"
    LOOP = "above the loop, which goes under it, indented"
    STEP = "after the optimizer's step"
    CALL = "above this call"
    ARGUMENT = "with this argument"
    INSTEAD = "in place of this import"
    RUN = "above the run, which goes under it, indented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """What to add for one framework.

    Attributes:
        title: What it is for.
        template: Code with ``$names``; the lines to add are numbered from 1 on, in comments at their ends.
        anchors: Where each of these belongs.
        names: What the template's names are called where nobody's own are known.
    """

    title: str
    template: str
    anchors: tuple[Anchor, ...]
    names: Mapping[str, str]

    def code(self, names: Mapping[str, str] = MappingProxyType({})) -> str:
        """Return the code, with names of one's own where they are given.

        >>> SNIPPETS[Framework.WANDB].code().splitlines()[0]
        'import grokscope.collectors.integrations.wandb as wandb  # 1'
        """
        return Template(self.template).substitute({**self.names, **names})

    def added(self, names: Mapping[str, str] = MappingProxyType({})) -> list[str]:
        """Return the lines to add, each with its indentation and without its number.

        >>> SNIPPETS[Framework.KERAS].added()[1]
        'callback = GrokscopeCallback({"test": test_set}, experiment="my-experiment")'
        """
        return [found[1] for found in _NUMBERED.finditer(self.code(names))]


_NUMBERED = re.compile(r"^(.*\S)  # \d$", re.MULTILINE)
_LOOP_ANCHORS = (Anchor.IMPORTS, Anchor.LOOP, Anchor.STEP, Anchor.STEP, Anchor.STEP)
_CALLBACK_ANCHORS = (Anchor.IMPORTS, Anchor.CALL, Anchor.ARGUMENT)
_LOOP_NAMES = {"model": "model", "optimizer": "optimizer", "step": "step", "loss": "loss"}
_LOOP = """\
from grokscope.collectors import Tracker  # 1

with Tracker($model, $optimizer, experiment="my-experiment") as tracker:  # 2
    for $step, batch in enumerate($batches):
        $loss = train_step($model, batch)
        tracker.log($step, {"train/batch_loss": $loss})  # 3
        if tracker.due($step):  # 4
            tracker.evaluate($step, train=$train, test=$test)  # 5
"""

SNIPPETS: Mapping[Framework, Snippet] = MappingProxyType(
    {
        Framework.LOADER: Snippet(
            title="a PyTorch loop over a DataLoader",
            template=_LOOP,
            anchors=_LOOP_ANCHORS,
            names=_LOOP_NAMES
            | {"batches": "train_loader", "train": "train_loader", "test": "test_loader"},
        ),
        Framework.TENSORS: Snippet(
            title="a PyTorch loop over tensors or a Dataset",
            template=_LOOP,
            anchors=_LOOP_ANCHORS,
            names=_LOOP_NAMES | {"batches": "batches", "train": "train_set", "test": "test_set"},
        ),
        Framework.HUGGING_FACE: Snippet(
            title="the Trainer of Hugging Face",
            template="""\
from grokscope.collectors.integrations.hugging_face import GrokscopeCallback  # 1

callback = GrokscopeCallback({"test": $test}, experiment="my-experiment")  # 2
trainer = Trainer(
    model,
    arguments,
    train_dataset=$train,
    callbacks=[callback],  # 3
)
trainer.train()
""",
            anchors=_CALLBACK_ANCHORS,
            names={"train": "train_set", "test": "test_set"},
        ),
        Framework.LIGHTNING: Snippet(
            title="the Trainer of Lightning",
            template="""\
from grokscope.collectors.integrations.lightning import GrokscopeCallback  # 1

callback = GrokscopeCallback({"test": $test}, experiment="my-experiment")  # 2
trainer = Trainer(
    max_epochs=2,
    callbacks=[callback],  # 3
)
trainer.fit(module, $batches)
""",
            anchors=_CALLBACK_ANCHORS,
            names={"batches": "loader", "test": "test_set"},
        ),
        Framework.ACCELERATE: Snippet(
            title="a loop with Accelerate",
            template="""\
from grokscope.collectors import Tracker  # 1

$model, $optimizer, $batches = accelerator.prepare($model, $optimizer, $batches)
with Tracker($model, $optimizer, experiment="my-experiment") as tracker:  # 2
    for $step, (inputs, targets) in enumerate($batches, start=1):
        $loss = cross_entropy($model(inputs), targets)
        accelerator.backward($loss)
        $optimizer.step()
        $optimizer.zero_grad()
        tracker.log($step, {"train/batch_loss": accelerator.gather($loss.detach()).mean()})  # 3
        if tracker.due($step):  # 4
            tracker.evaluate($step, test=$test)  # 5
""",
            anchors=_LOOP_ANCHORS,
            names=_LOOP_NAMES | {"batches": "loader", "test": "test_set"},
        ),
        Framework.KERAS: Snippet(
            title="Keras 3 on torch",
            template="""\
from grokscope.collectors.integrations.keras import GrokscopeCallback  # 1

callback = GrokscopeCallback({"test": $test}, experiment="my-experiment")  # 2
model.fit(
    inputs,
    targets,
    epochs=2,
    validation_data=held_out,
    callbacks=[callback],  # 3
)
""",
            anchors=_CALLBACK_ANCHORS,
            names={"test": "test_set"},
        ),
        Framework.WANDB: Snippet(
            title="code that logs to W&B",
            template="""\
import grokscope.collectors.integrations.wandb as wandb  # 1

with wandb.init(project="my-experiment", config={"lr": 0.1}, group="baseline") as run:
    wandb.watch(model)  # weight norms at due rows
    for epoch in range(3):
        wandb.log({"val/loss": 1 / (1 + epoch)})
    run.summary["best"] = 1 / 3
""",
            anchors=(Anchor.INSTEAD,),
            names={},
        ),
        Framework.MLFLOW: Snippet(
            title="code that logs to MLflow",
            template="""\
import mlflow
from grokscope.collectors.integrations.mlflow_metrics import spooled  # 1

with spooled(mlflow):  # 2
    with mlflow.start_run(run_name="drop-in"):
        mlflow.log_metric("train_loss", 0.5, step=1)
""",
            anchors=(Anchor.IMPORTS, Anchor.RUN),
            names={},
        ),
    }
)  # fmt: skip
"""Each framework's lines, the more particular frameworks after the plain loops."""
