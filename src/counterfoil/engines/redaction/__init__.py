"""Redaction: a new picture, film, sound, PDF or text in which what was marked is not there, rather than covered.

Everything that leaves is made again from decoded and painted pixels and samples; nothing of the input's file is copied.
The encoding is lossless, so inside a box every decoded pixel is one constant, whatever stood there, and outside every
pixel is the one that was decoded. What to remove is a *plan*, plain data that a person made and looked at:

>>> from counterfoil.engines.redaction import plan
>>> p = plan.clean({"kind": "film", "frames": 50, "width": 640, "height": 360,
...                 "boxes": [{"id": "b1", "why": "plate", "keys": [[10, 100, 100, 40, 20], [20, 120, 100, 40, 20]]}]})
>>> plan.rects_at(p, 15)
[(110, 100, 150, 120)]
>>> plan.rects_at(p, 21)
[]

`tasks.prepare` and `tasks.render` are the two doors; both run in the sandbox, because both open strangers' files.
"""

from counterfoil.engines.redaction import plan

__all__ = ["plan"]
