"""Params that other code logs, by their usual names, on the survey's axes."""

from collections.abc import Mapping
from types import MappingProxyType

_NAMES: Mapping[str, str] = {
    "seed": "seed random_seed rng_seed torch_seed",
    "group": "group run_group wandb_group",
    "compute.scale.parameters": "num_parameters num_params n_params n_parameters total_params parameters",
    "compute.scale.depth": "depth n_layer n_layers num_layers num_hidden_layers",
    "compute.scale.width": "width d_model dim hidden_size hidden_dim n_embd embed_dim",
    "compute.scale.feedforward": "d_ff d_mlp intermediate_size ffn_dim",
    "compute.exposure.batch": "batch batch_size train_batch_size per_device_train_batch_size bs",
    "compute.exposure.epochs": "epochs n_epochs num_epochs max_epochs num_train_epochs",
    "compute.exposure.steps": "steps n_steps num_steps max_steps max_iters total_steps num_training_steps",
    "compute.exposure.tokens": "tokens total_tokens max_tokens train_tokens max_train_tokens token_budget",
    "compute.exposure.examples": "total_examples total_samples max_examples max_samples",
    "compute.exposure.unique_tokens": "dataset_tokens unique_tokens num_unique_tokens tokens_in_dataset",
    "compute.exposure.unique_examples": "dataset_examples dataset_size train_size n_train num_train "
    "num_train_examples num_train_samples train_set_size unique_examples",
    "compute.exposure.repetitions": "repetitions num_repetitions data_repetitions",
    "compute.exposure.context": "block_size seq_len seq_length sequence_length context_length max_seq_len",
    "intervention.data.fraction": "train_fraction train_frac frac_train data_fraction training_fraction",
    "intervention.data.noise": "label_noise noise_level corruption",
    "intervention.data.curriculum": "curriculum",
    "intervention.protocol.optimizer": "optimizer optim optimiser",
    "intervention.protocol.lr": "lr learning_rate base_lr max_lr",
    "intervention.protocol.schedule": "lr_scheduler lr_scheduler_type lr_schedule scheduler schedule",
    "intervention.protocol.warmup": "warmup warmup_steps warmup_iters lr_warmup_steps",
    "intervention.protocol.betas": "betas adam_betas",
    "intervention.protocol.momentum": "momentum",
    "intervention.protocol.gradient_clip": "max_grad_norm grad_clip gradient_clip_val clip_grad_norm",
    "intervention.protocol.accumulation": "gradient_accumulation_steps grad_accum accumulate_grad_batches",
    "intervention.regularization.weight_decay": "weight_decay wd l2_reg",
    "intervention.regularization.dropout": "dropout dropout_rate p_dropout hidden_dropout_prob",
    "intervention.regularization.label_smoothing": "label_smoothing label_smoothing_factor",
    "structure.architecture.kind": "model architecture arch model_type model_name",
    "structure.architecture.heads": "n_head n_heads num_heads num_attention_heads",
    "structure.architecture.activation": "activation act_fn hidden_act activation_function nonlinearity",
    "structure.computation.task": "task operation",
    "structure.computation.modulus": "modulus prime",
}

PARAM_ALIASES: Mapping[str, str] = MappingProxyType(
    {alias: ours for ours, aliases in _NAMES.items() for alias in aliases.split()}
)
"""Usual name, in lower case with underscores -> our name."""
