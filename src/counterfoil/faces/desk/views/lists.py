"""What waits for me: my duties, the triage queue, the cases I may see."""

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from counterfoil.accounts.rules import Viewer
from counterfoil.cases import queries as case_queries
from counterfoil.cases.rules import GRADES
from counterfoil.duties.queries import DutyCard, my_duties
from counterfoil.faces.desk.views.acting import officers, reading, shown
from counterfoil.faces.desk.words import kind_name, urgency, waited
from counterfoil.reference.kinds import kinds

SHOWN = 200


def kind_names() -> dict[str, str]:
    """Return the name of each kind of case, as staff call it."""
    return {k.id: kind_name(k.id) for k in kinds()}


def _soonest(duties: Iterable[DutyCard]) -> dict[UUID, DutyCard]:
    """Return the duty that is due first on each case."""
    found: dict[UUID, DutyCard] = {}
    for duty in duties:
        found.setdefault(duty.case.id, duty)
    return found


@officers
@reading
def home(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show my duties: what is overdue first, then by time."""
    now = timezone.now()
    duties = my_duties(viewer, limit=SHOWN)
    rows = [(d, urgency(d, now)) for d in duties]
    counts = {state: sum(s == state for _, s in rows) for state in ("overdue", "soon", "due")}
    facts = {
        "rows": rows,
        "counts": counts,
        "kinds": kind_names(),
        "here": "duties",
        "full": len(rows) == SHOWN,
    }
    return shown(request, viewer, "desk/duties.html", facts)


@officers
@reading
def queue(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show the cases that nobody has taken yet, oldest first."""
    now = timezone.now()
    soonest = _soonest(my_duties(viewer, limit=1000))
    rows = []
    for card in case_queries.queue(viewer, limit=SHOWN):
        duty = soonest.get(card.id)
        rows.append((card, duty, urgency(duty, now) if duty else "", waited(card.reported_at, now)))
    facts = {"rows": rows, "kinds": kind_names(), "here": "queue", "full": len(rows) == SHOWN}
    return shown(request, viewer, "desk/queue.html", facts)


@officers
@reading
def cases(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show the cases the viewer may see, open or closed, newest first."""
    state = "closed" if request.GET.get("state") == "closed" else "open"
    rows = case_queries.my_cases(viewer, state=state, limit=SHOWN)
    facts = {
        "rows": rows,
        "state": state,
        "kinds": kind_names(),
        "grades": {k: v.split(":")[0] for k, v in GRADES.items()},
        "here": "cases",
        "full": len(rows) == SHOWN,
    }
    return shown(request, viewer, "desk/cases.html", facts)


@officers
@reading
def keys(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """List the keyboard shortcuts."""
    return shown(request, viewer, "desk/keys.html", {"here": ""})
