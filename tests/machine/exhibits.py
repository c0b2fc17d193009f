"""What people do with exhibits in the random house: make others of them, share, restrict, redact, return, destroy.

Recipes are carried out by the very tasks of the product, in this process instead of the sandbox's child, whose walls
have gates of their own (tests/hostile): a story has no time for hundreds of children.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from tests import scenes
from tests.cast import LENA, RHYS

from counterfoil.accounts.rules import Viewer
from counterfoil.engines.errors import BadInput, NotAllowed, Refusal
from counterfoil.engines.sandbox import Unreadable
from counterfoil.evidence import actions as evidence
from counterfoil.evidence import custody, material, recipes, redactions, restricting, sharing
from counterfoil.evidence.models import Exhibit, Redaction, Share

VERBS = (
    "derive",
    "share",
    "restrict",
    "lift",
    "redact",
    "copy_out",
    "give_back",
    "destroy",
    "decide",
    "schedule",
)
COME_TO = frozenset(
    {
        "exhibit.derived", "exhibit.shared", "exhibit.prepared", "exhibit.restricted", "exhibit.redacted",
        "exhibit.copied", "exhibit.returned", "exhibit.destruction_asked", "exhibit.destroyed", "exhibit.material",
        "schedule.signed", "share.ended",
    }
)  # fmt: skip
SAFE = "counterfoil.engines.media.pictures:safe"


def in_this_process(
    task: str,
    inputs: Mapping[str, Path],
    out: Path,
    options: Mapping[str, Any],
    *,
    limits: object = None,
    on_progress: object = None,
) -> dict[str, Any]:
    """Carry out a sandboxed task here; faces are not looked for, because nobody is on these pictures."""
    module, _, name = task.partition(":")
    try:
        answer: dict[str, Any] = getattr(importlib.import_module(module), name)(
            dict(inputs), out, {**options, **({"faces": False} if name == "prepare" else {})}
        )
    except Refusal as refusal:
        raise Unreadable(str(refusal)) from refusal
    return answer


class Exhibits:
    """The verbs of evidence. The house has the people, the cases and the clock."""

    attempt: Callable[[Callable[[], Any]], Any]
    scene: Callable[[int], scenes.Scene | None]
    viewer: Callable[[str, int], Viewer]
    exhibits: Callable[[UUID], Iterator[Exhibit]]
    acknowledged: set[str]

    def close_to(self, patch: pytest.MonkeyPatch) -> None:
        """Have recipes carried out in this process."""
        patch.setattr(recipes, "run", in_this_process)
        patch.setattr(redactions.sandbox, "run", in_this_process)

    def chosen(self, n: int, m: int) -> tuple[scenes.Scene, Exhibit] | None:
        """Return a case with one of its exhibits, if there is one."""
        scene = self.scene(n)
        found = list(self.exhibits(scene.case)) if scene else []
        return (scene, found[m % len(found)]) if scene and found else None

    def and_commit(self, act: Callable[[], Any]) -> Any:
        """Do something that may be refused, and then what it leaves for right after its transaction."""
        before = len(connection.run_on_commit)
        done = self.attempt(act)
        for _, then, _ in connection.run_on_commit[before:] if done is not None else []:
            then()
        return done

    def derive(self, n: int, m: int, name: str) -> None:
        """Somebody makes an exhibit of an exhibit: allowed only of what is held and not restricted."""
        if found := self.chosen(n, m):
            scene, parent = found
            by = self.viewer(name, n)
            try:
                made = self.attempt(
                    lambda: evidence.derive(
                        scene.case, parent.pk, task=SAFE, settings={}, title="The gate", by=by
                    )
                )
            except Unreadable:  # what only begins as a picture
                return
            if made:
                assert (parent.state, parent.restricted) == ("sealed", "")
                assert Exhibit.objects.get(pk=parent.pk).material != "undecided"

    def share(self, n: int, m: int, name: str, on: bool) -> None:
        """Somebody shares an exhibit with somebody outside, and perhaps ends it again."""
        if found := self.chosen(n, m):
            scene, exhibit = found
            by = self.viewer(name, n)
            issued = self.attempt(
                lambda: sharing.share(scene.case, exhibit.pk, LENA.name, "", "To recognise the man", by=by)
            )
            if issued:
                row = Share.objects.get(access_id=issued.id)
                sharing.make_copy(row.pk)
                row.refresh_from_db()
                # What only begins as a picture or a recording cannot be marked, and that is said.
                assert row.state == "ready" or (row.state == "refused" and row.said)
                if on:
                    self.attempt(lambda: [sharing.end_share(scene.case, row.pk, by=by)])

    def restrict(self, n: int, m: int, name: str, why: str) -> None:
        """Somebody restricts an exhibit: nothing made of it is left, and what was derived is restricted with it."""
        if found := self.chosen(n, m):
            scene, exhibit = found
            by = self.viewer(name, n)
            done = self.and_commit(lambda: [restricting.restrict(scene.case, exhibit.pk, why, by=by)])
            if done:
                assert not Share.objects.filter(exhibit=exhibit, state="ready").exists()
                assert (
                    not Exhibit.objects.filter(parent=exhibit, restricted="").exists() or exhibit.restricted
                )

    def lift(self, n: int, m: int, name: str) -> None:
        """Somebody lifts a restriction: only the examiner can."""
        if found := self.chosen(n, m):
            scene, exhibit = found
            by = self.viewer(name, n)
            done = self.attempt(
                lambda: [restricting.lift(scene.case, exhibit.pk, "It shows an empty car park.", by=by)]
            )
            assert not done or by.has("examiner")

    def redact(self, n: int, m: int, name: str) -> None:
        """Somebody redacts a picture from beginning to end."""
        found = self.chosen(n, m)
        if found is None:
            return
        scene, exhibit = found
        by = self.viewer(name, n)
        begun = self.attempt(lambda: redactions.begin(scene.case, exhibit.pk, by=by))
        if not begun or Redaction.objects.get(pk=begun).state != "preparing":
            return
        redactions.prepare(begun)
        row = Redaction.objects.get(pk=begun)
        if row.state == "failed":  # what only begins as a picture
            assert row.error
            return
        assert row.state == "reviewing"
        assert redactions.sit_down(scene.case, begun, by=by)
        box = {"do": "box", "what": "other", "frame": 0, "until": 0, "x": 4, "y": 4, "w": 20, "h": 20}
        self.attempt(lambda: [redactions.step(scene.case, begun, box, by=by)])
        self.attempt(
            lambda: [redactions.finish(scene.case, begun, "The gate, a sign removed", reviewed=True, by=by)]
        )
        redactions.make(begun)
        row.refresh_from_db()
        assert row.state == "made", row.error

    def copy_out(self, n: int, m: int, name: str, why: str) -> None:
        """Somebody takes a copy out with a reason: refused, or an entry before the bytes."""
        if found := self.chosen(n, m):
            scene, exhibit = found
            try:
                taken = custody.copy_out(scene.case, exhibit.pk, why, by=self.viewer(name, n))
            except (NotAllowed, BadInput):
                return
            if taken:
                taken[1].close()
                assert (exhibit.state, exhibit.restricted) == ("sealed", "")

    def give_back(self, n: int, m: int, name: str, why: str) -> None:
        """Somebody returns an exhibit to its owner."""
        if found := self.chosen(n, m):
            scene, exhibit = found
            by = self.viewer(name, n)
            self.attempt(
                lambda: [custody.give_back(scene.case, exhibit.pk, RHYS.name, RHYS.name, why, by=by)]
            )

    def destroy(self, n: int, m: int, name: str, to: str, why: str, posted: bool) -> None:
        """Somebody asks that an exhibit be destroyed under an order, and somebody else decides: never one alone."""
        found = self.chosen(n, m)
        if found is None:
            return
        scene, exhibit = found
        by = self.viewer(name, n)
        self.attempt(
            lambda: custody.ask_destruction(scene.case, exhibit.pk, "court-order", "T20260012", why, by=by)
        )
        other = self.viewer("ines" if posted else to, n)
        done = self.and_commit(lambda: [custody.destroy(scene.case, exhibit.pk, by=other)])
        if done:
            assert other.has("inspector")
            custody.sweep_destroyed()
            if not Exhibit.objects.exclude(state="destroyed").filter(sha256=exhibit.sha256).exists():
                self.acknowledged.discard(exhibit.sha256)

    def decide(self, n: int, m: int, name: str, why: str, state: str) -> None:
        """Somebody decides what an exhibit is to its case."""
        if found := self.chosen(n, m):
            scene, exhibit = found
            self.attempt(
                lambda: [
                    material.decide(
                        scene.case,
                        "exhibit",
                        exhibit.pk,
                        state,
                        description=f"Photo of the side gate, the one called {exhibit.label}",
                        location="Evidence vault of the force",
                        reason=why,
                        by=self.viewer(name, n),
                    )
                ]
            )

    def schedule(self, n: int, name: str) -> None:
        """Somebody takes what is left as exhibits, decides about all of it at once, and signs both schedules."""
        if scene := self.scene(n):
            by = self.viewer(name, n)
            for upload in scene.files:
                self.attempt(lambda u=upload: evidence.seal(scene.case, u, "Photo of the gate", by=by))  # type: ignore[misc]
            waiting = [i.key for i in material.undecided(by, scene.case) if i.kind != "upload"]
            self.attempt(lambda: material.decide_several(scene.case, waiting, "used", by=by))
            signed = self.attempt(
                lambda: material.sign_schedules(scene.case, by.name, endorse_nil=True, by=by)
            )
            if signed is not None:
                assert not material.not_ready(by, scene.case)
