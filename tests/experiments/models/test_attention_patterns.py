"""What a transformer's heads look at, and the model that reads examples in context."""

import pytest
import torch
from torch import nn

from grokscope.experiments.models.in_context import InContextRegressor
from grokscope.experiments.models.transformer import Attention, Transformer, attention_patterns


def test_patterns_are_causal_and_their_rows_sum_to_1():
    torch.manual_seed(0)
    model = Transformer(tokens=7, context=5, heads=2, layers=3, mlp=8, has_norm=True)
    found = attention_patterns(model, torch.randint(7, (4, 5)))
    assert found.shape == (3, 4, 2, 5, 5)
    assert torch.equal(found.triu(1), torch.zeros_like(found))
    assert torch.allclose(found.sum(-1), torch.ones(3, 4, 2, 5))


def test_what_a_layer_gathers_are_its_values_weighted_by_its_pattern():
    torch.manual_seed(1)
    layer, hidden = Attention(8, 2), torch.randn(3, 5, 8)
    values = layer.value(hidden).view(3, 5, 2, 4).transpose(1, 2)
    gathered = (layer.pattern(hidden) @ values).transpose(1, 2).flatten(2)
    assert torch.allclose(layer(hidden), layer.mix(gathered), atol=1e-6)


def test_other_models_have_no_patterns_to_read():
    with pytest.raises(TypeError, match="reads a Transformer, got a Linear"):
        attention_patterns(nn.Linear(1, 1), torch.zeros(1, 1))


def test_the_order_of_examples_in_context_does_not_matter_but_what_is_asked_does():
    torch.manual_seed(2)
    model, examples = InContextRegressor(inputs=3), torch.randn(1, 6, 3)
    turned = torch.cat([examples[:, :5].flip(1), examples[:, 5:]], dim=1)
    other = torch.cat([examples[:, :5], -examples[:, 5:]], dim=1)
    one_layer = InContextRegressor(inputs=3, layers=1)
    assert torch.allclose(one_layer(examples), one_layer(turned), atol=1e-6)
    assert not torch.allclose(model(examples), model(other), atol=1e-3)
