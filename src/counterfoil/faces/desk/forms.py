"""What is typed on the desk. The forms only gather and trim; whether it is right is decided by the verbs."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from counterfoil.engines.errors import BadInput, Refusal
from counterfoil.reference.disclosure import presumed


class Typed(forms.Form):
    """A form that keeps everything typed and carries a token, so that sending it twice does one thing."""

    # Holds what was being sent when a session ended, to be looked at and sent again.
    restored = False
    token = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)

    def refuse(self, error: Refusal) -> None:
        """Put a refusal's sentence at its field, or above the form when it has none."""
        name = error.field if isinstance(error, BadInput) else ""
        self.add_error(name if name in self.fields else None, str(error))

    def problems(self) -> list[dict[str, str]]:
        """Return the sentences for the top of the page, each leading to its field."""
        found = []
        for name, errors in self.errors.items():
            href = f"#{name}" if name in self.fields else ""
            found += [{"text": str(text), "href": href} for text in errors]
        return found

    def typed(self, name: str) -> str:
        """Return what is in a field as it was typed."""
        value: Any = self[name].value()
        return "" if value is None else str(value)

    def wrong(self, name: str) -> str:
        """Return the sentence at a field, or an empty text."""
        return str(self.errors[name][0]) if name in self.errors else ""


def short(limit: int) -> forms.CharField:
    """Return a field for one line; too long is said, never cut."""
    return forms.CharField(
        required=False,
        max_length=limit,
        error_messages={"max_length": f"Use {limit} letters or fewer. You used %(show_value)s."},
    )


def long(limit: int) -> forms.CharField:
    """Return a field for more than one line."""
    return forms.CharField(
        required=False,
        max_length=limit,
        strip=False,
        widget=forms.Textarea,
        error_messages={"max_length": f"Use {limit:,} letters or fewer. You used %(show_value)s."},
    )


class Nothing(Typed):
    """A form with only a button."""


class Triage(Typed):
    """A grade of response and why."""

    grade = short(20)
    reason = long(4000)


class Record(Typed):
    """Record under our own number or the records system's, or say why it is no crime."""

    how = short(12)
    rms_number = short(60)
    reason = long(4000)


class Update(Typed):
    """What to tell the sender."""

    text = long(4000)


class Reasoned(Typed):
    """Why something is done, and nothing else."""

    reason = long(4000)


class Titled(Typed):
    """What an exhibit is called."""

    title = short(200)


class HandOver(Typed):
    """Who gets an exhibit, and why."""

    to = short(60)
    reason = long(4000)


class Assign(Typed):
    """Who gets a case."""

    actor = short(60)


class Reopen(Typed):
    """Why a closed case is opened again."""

    reason = long(4000)


class Decide(Typed):
    """What an item of material is to the case, its line on a schedule, and why."""

    material = short(12)
    description = long(300)
    location = short(120)
    reason = long(4000)
    tags = forms.MultipleChoiceField(required=False, choices=lambda: [(i, i) for i in presumed()])


class DecideSeveral(Typed):
    """What all ticked items are to the case, and the one location and reason for them."""

    item = short(60)
    material = short(12)
    location = short(120)
    reason = long(4000)


class SignSchedules(Typed):
    """The disclosure officer's signature, and that there is nothing sensitive."""

    endorse_nil = short(3)
    signed_name = short(120)


class Share(Typed):
    """With whom an exhibit is shared, and what for."""

    recipient = short(120)
    organisation = short(120)
    purpose = short(200)


class GiveBack(Typed):
    """To whom an exhibit is returned, their signature, and why."""

    to = short(120)
    signed_name = short(120)
    reason = long(4000)


class Destruction(Typed):
    """Under which rule and order an exhibit is destroyed, and why; or what the second person decides."""

    step = short(10)
    rule = short(40)
    order = short(60)
    reason = long(4000)


class Statement(Typed):
    """A statement: the front as it is signed, and the back page that stays with the case."""

    stage = short(10)
    role = short(12)
    name = short(120)
    age = short(3)
    text = long(100_000)
    declared = short(3)
    cannot_read = short(3)
    read_over_by = short(120)
    signed_name = short(120)
    contact = long(2000)
    dates_to_avoid = long(2000)
    needs = long(2000)

    def clean_age(self) -> int | None:
        """Return the age as a number; only people under 18 give one."""
        typed = self.cleaned_data["age"].strip()
        if not typed:
            return None
        if not (typed.isascii() and typed.isdigit() and 0 < int(typed) < 18):
            raise forms.ValidationError("Give the age only if the witness is under 18, as a number.")
        return int(typed)


class Suspect(Typed):
    """A suspect's name and the number of the custody record or the voluntary interview."""

    name = short(120)
    reference_kind = short(12)
    reference = short(60)


class Charge(Typed):
    """A charging decision: about whom, by whom, when, which offence, in which words, and why."""

    party = short(40)
    decision = short(12)
    decided_by = short(12)
    decider = short(120)
    decided_on = short(10)
    decided_time = short(5)
    offence_code = short(10)
    wording = long(2000)
    reason = long(4000)

    def decided_at(self) -> datetime:
        """Return the moment of the decision in London time, or refuse what was typed."""
        day, hour = self.cleaned_data["decided_on"].strip(), self.cleaned_data["decided_time"].strip()
        date = None
        for shape in ("%d/%m/%Y", "%Y-%m-%d"):
            with suppress(ValueError):
                date = datetime.strptime(day, shape).date()  # noqa: DTZ007  (a day has no zone)
        if date is None:
            raise BadInput("decided_on", "Give the day of the decision, for example 21/11/2026.")
        try:
            time = datetime.strptime(hour, "%H:%M").time()  # noqa: DTZ007
        except ValueError:
            raise BadInput("decided_time", "Give the time of the decision, for example 14:05.") from None
        if not 1990 <= date.year <= 2100:
            raise BadInput("decided_on", "Check the year of the decision.")
        return timezone.make_aware(datetime.combine(date, time))


class Outcome(Typed):
    """How the case ended and why."""

    type = short(3)
    charge = short(40)
    reason = long(4000)


class Send(Typed):
    """Which prosecutor gets a bundle."""

    prosecutor = short(60)


class Appeal(Typed):
    """What to ask the public for: one place, one span of time, in words that name nobody."""

    place = short(200)
    position = short(60)
    starts = short(30)
    ends = short(30)
    wanted = long(2000)
    wanted_cy = long(2000)
    closes = short(12)


class Footage(Typed):
    """Which cameras' recordings to ask for; or, with `then`, to close the appeal."""

    then = short(10)


class Settle(Typed):
    """How asking for a recording ended, and why."""

    how = short(10)
    reason = long(4000)


class FindExhibit(Typed):
    """Which exhibit's entries to look for."""

    case = short(20)
    label = short(20)


class Erase(Typed):
    """Under which rule and why entries are erased; or the second person's decision. The entries are ticked."""

    step = short(8)
    entry = short(40)
    rule = short(40)
    reason = long(4000)


class Still(Typed):
    """Which frame becomes an exhibit."""

    at = short(40)
    title = short(200)


class Clip(Typed):
    """Which part of a recording becomes an exhibit, and how it is cut."""

    start = short(40)
    end = short(40)
    how = short(12)
    title = short(200)


class RecorderClock(Typed):
    """What a recorder's clock shows, and how far it was off when somebody measured it."""

    device_time = short(30)
    offset = short(20)
    direction = short(10)
    measured_by = short(120)
    measured_at = short(30)
    against = short(200)


class Redact(Typed):
    """One step of a redaction's review; each form of the page fills in a few of these."""

    do = short(12)
    here = short(8)
    view = short(8)
    track = short(12)
    reason = long(4000)
    box = short(12)
    what = short(12)
    frame = short(10)
    until = short(10)
    x = short(10)
    y = short(10)
    w = short(10)
    h = short(10)
    first = short(10)
    last = short(10)
    from_ms = short(20)
    to_ms = short(20)
    start = short(10)
    end = short(10)
    index = short(10)
    words = long(6000)
    reviewed = short(5)
    title = short(200)


class NewSample(Typed):
    """Which days' reports are sampled, and how many."""

    first = short(30)
    last = short(30)
    size = short(6)


class MarkItem(Typed):
    """What somebody found on looking at a report again."""

    crime = short(4)
    right_class = short(4)
    reason = long(4000)


class SwitchHotspots(Typed):
    """That somebody looked at who lives where hotspots point, and why they are switched."""

    kind = short(80)
    seen = short(64)
    looked = short(3)
    reason = long(4000)


class NewPatrols(Typed):
    """How many places, pairs of officers and minutes a patrol plan is for."""

    kind = short(80)
    spots = short(4)
    units = short(3)
    minutes = short(4)


class LogVisit(Typed):
    """A visit that was made."""

    area = short(20)
    minutes = short(4)
    day = short(30)
