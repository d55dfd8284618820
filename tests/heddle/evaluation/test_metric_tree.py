"""The nested numbers of ``metrics.json``."""

from hypothesis import given
from hypothesis import strategies as st

from heddle.evaluation.metric_tree import MetricValue, find, leaves

NAMES = st.text("abc_", min_size=1, max_size=4)
NUMBERS = st.floats(-10, 10)
LEAVES = NUMBERS | st.fixed_dictionaries({"value": NUMBERS}, optional={"low": NUMBERS, "high": NUMBERS})
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3), lambda nodes: st.dictionaries(NAMES, nodes | LEAVES, max_size=3)
)


def test_leaves_carry_what_stands_beside_the_value():
    tree = {
        "test_listings": 3,
        "text_to_image": {"recall_at_10": {"value": 0.5, "low": 0.4, "high": 0.6, "chance": 0.1}},
    }
    assert list(leaves(tree)) == [
        MetricValue("test_listings", 3),
        MetricValue("text_to_image.recall_at_10", 0.5, 0.4, 0.6, 0.1),
    ]


@given(TREES)
def test_every_leaf_is_found_at_its_path(tree):
    for leaf in leaves(tree):
        assert find(tree, leaf.path) == leaf


def test_a_path_to_a_node_or_to_nothing_finds_no_leaf():
    tree = {"text_to_image": {"recall_at_10": {"value": 0.5}}}
    assert find(tree, "text_to_image") is None
    assert find(tree, "text_to_image.recall_at_5") is None
