"""Each gate fails when the product is broken on purpose: a sample here, every one in `make sabotage`."""

from pathlib import Path

import pytest
from tests.faults.tally import Gate
from tests.sabotage.run import CANNOT, Sabotage, Tree, judge, sabotages


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy of the tree to break."""
    return Tree(tmp_path_factory.mktemp("sabotage"))


SAMPLE = 2
CHOSEN = [s for s in sabotages() if s.sample][:SAMPLE]


@pytest.mark.faults
@pytest.mark.parametrize("one", CHOSEN, ids=lambda one: one.name)
def test_a_gate_notices_what_it_is_there_for(tree: Tree, one: Sabotage) -> None:
    with Gate(f"sabotage: {one.name}") as gate:
        wrong = judge(tree, one, trust_the_gate=True)  # the same run runs the gate itself
        if wrong == CANNOT:
            pytest.skip(f"NOT TRIED: {CANNOT}")
        gate.case(one.why, wrong=[wrong] if wrong else [])


def test_every_patch_is_described_and_applies(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    found = sabotages()
    assert found
    for one in found:
        assert one.why.strip()
        with tree.broken(one.patch):
            pass
