"""grokscope in the Trainer of Hugging Face transformers: one callback.

python examples/hugging_face_trainer.py, then: grokscope up
"""

import tempfile

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from grokscope.collectors.integrations.hugging_face import GrokscopeCallback, causal


def sequences(n: int) -> torch.Tensor:
    """Return a toy language [n, 12]: every token is the one before it plus a step that the first two tell."""
    first, step = torch.randint(0, 16, (n, 1)), torch.randint(1, 4, (n, 1))
    return (first + step * torch.arange(12)) % 16


def main() -> None:
    """Train a very small GPT-2."""
    torch.manual_seed(0)
    train, test = sequences(128), sequences(64)
    size = GPT2Config(vocab_size=16, n_positions=12, n_embd=32, n_layer=2, n_head=2)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, max_steps=60, per_device_train_batch_size=32, learning_rate=3e-3, logging_steps=10,
            gradient_accumulation_steps=2, save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True,
        )  # fmt: skip
        callback = GrokscopeCallback(
            {"train": causal(train), "test": causal(test)}, experiment="examples", config={"group": "gpt2"}
        )
        dataset = [{"input_ids": row, "labels": row} for row in train]
        Trainer(GPT2LMHeadModel(size), arguments, train_dataset=dataset, callbacks=[callback]).train()


if __name__ == "__main__":
    main()
