import pytest
from anthropic.types import ModelInfo
from openai.types import Model

from rolecall.wire.models import model, model_list

NAMES = ["gpt-4o", "team/claude", "Zoë"]


@pytest.mark.parametrize(("form", "shape"), [("openai", Model), ("anthropic", ModelInfo)])
def test_the_vendors_clients_can_read_a_model(form, shape):
    shown = model(form, "team/claude")
    # as the clients build it, who demand no field of a server
    assert shape.construct(**shown).id == "team/claude"
    assert shown.keys() <= shape.model_fields.keys()


@pytest.mark.parametrize("form", ["openai", "anthropic"])
def test_a_list_holds_every_model_in_order(form):
    assert model_list(form, NAMES)["data"] == [model(form, name) for name in NAMES]
    assert model_list(form, [])["data"] == []


@pytest.mark.parametrize(
    ("names", "ends"), [(NAMES, ("gpt-4o", "Zoë")), (["one"], ("one", "one")), ([], (None, None))]
)
def test_anthropics_list_is_one_page(names, ends):
    page = model_list("anthropic", names)
    assert (page["first_id"], page["last_id"]) == ends
    assert page["has_more"] is False
