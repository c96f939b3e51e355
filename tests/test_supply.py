"""What runs on a push is named exactly and may do little; no file is trusted with code."""

import re

import pytest
from checkout import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_hash(workflow):
    """A tag can be moved to other code; a hash cannot. The comment says which version it is."""
    text = workflow.read_text(encoding="utf-8")
    actions = re.findall(r"uses: (\S+)(.*)", text)
    assert actions
    for action, comment in actions:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r"\s+# v\d+(\.\d+)*", comment), action


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_permissions_are_named_and_read_only_by_default(workflow):
    text = workflow.read_text(encoding="utf-8")
    assert "\npermissions:\n  contents: read\n" in text
    assert "write-all" not in text and "persist-credentials: false" in text


def test_nothing_is_unpickled():
    sources = [*(ROOT / "dcgan_helpers").rglob("*.py"), *(ROOT / "notebooks").glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for call in ("pickle.load", "read_pickle", "joblib.load", "weights_only=False"):
        assert call not in text, call
    # NumPy's default is safe since 1.16.3; said aloud, it stays so.
    loads = re.findall(r"np\.load\((?:[^()]|\([^()]*\))*\)", text)
    assert loads and all("allow_pickle=False" in call for call in loads), loads
    assert "torch.load(" not in text
