"""The desk's pages, walked with a real browser session."""

import pytest
from tests import scenes
from tests.cast import Cast
from tests.desk.signing import signed_in

pytestmark = pytest.mark.django_db


def test_an_officer_opens_every_page_of_a_case(cast: Cast) -> None:
    scene = scenes.charged(cast)
    client = signed_in(cast, "alice")
    case = f"/desk/cases/{scene.case}"
    paths = [
        "/desk/", "/desk/queue", "/desk/cases", "/desk/cases?state=closed", "/desk/keys", case, f"{case}/timeline",
        f"{case}/why", f"{case}/take", f"{case}/triage", f"{case}/record", f"{case}/update",
        f"{case}/files/{scene.files[1]}/take", f"{case}/exhibits/{scene.exhibit}",
        f"{case}/exhibits/{scene.exhibit}/retitle", f"{case}/exhibits/{scene.exhibit}/hand-over",
        f"{case}/statements/new", f"{case}/statements/{scene.statement}", f"{case}/suspects/new",
        f"{case}/charges/new", f"{case}/outcome", f"{case}/bundles/new", f"{case}/assign", f"{case}/reopen",
    ]  # fmt: skip
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.content.decode()[:3000])
