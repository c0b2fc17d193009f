"""How the board says numbers, months and shares in the language of the request."""

from decimal import Decimal

from counterfoil.engines.clock import say_month
from counterfoil.faces.kit.language import gettext, lang, ngettext
from counterfoil.measures.queries import Number
from counterfoil.reference.areas import Area
from counterfoil.reference.forces import Force
from counterfoil.reference.measures import Definition, crime_type_named
from counterfoil.reference.outcomes import published

# The measures of the rows of data.police.uk, which have words of their own.
POLICE_UK = ("crimes", "charged", "charged-of-outcomes", "outcomes")
SHORT = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "cy": ("Ion", "Chwef", "Maw", "Ebr", "Mai", "Meh", "Gorff", "Awst", "Medi", "Hyd", "Tach", "Rhag"),
}


def month(text: str) -> str:
    """Say a month: "2021-03" is "March 2021"."""
    return say_month(text, lang())


def short_month(text: str) -> str:
    """Say a month briefly, without its year: "Mar"."""
    return SHORT[lang()][int(text[5:]) - 1]


def period(first: str, last: str) -> str:
    """Say a period: "March 2021 to February 2022", or one month."""
    if first == last:
        return month(first)
    return gettext("%(first)s to %(last)s") % {"first": month(first), "last": month(last)}


def listed(months: tuple[str, ...]) -> str:
    """List months in words, the first six of them."""
    said = ", ".join(month(m) for m in months[:6])
    more = len(months) - 6
    if more > 0:
        said += ngettext(" and %(n)s more month", " and %(n)s more months", more) % {"n": more}
    return said


def whole(n: int) -> str:
    """Write a whole number with commas."""
    return f"{n:,}"


def amount(value: int | Decimal, unit: str) -> str:
    """Write a value with commas and its unit, "27,504" or "12.8%"; half a count more is left away."""
    return f"{value:,}{unit}" if unit else f"{int(value):,}"


def measured(value: int | Decimal | None, unit: str) -> str:
    """Write a measure's value with its unit; nothing when it is not known."""
    if value is None:
        return ""
    if unit in ("share", "percent"):
        return f"{value}%"
    plain = f"{value:,}"
    return {
        "days": gettext("%(n)s days"), "weeks": gettext("%(n)s weeks"), "hours": gettext("%(n)s hours"),
        "minutes": gettext("%(n)s minutes"),
    }.get(unit, "%(n)s") % {"n": plain}  # fmt: skip


def state(name: str) -> str:
    """Say what is known of a number, by its state."""
    return {
        "published": gettext("published"),
        "partly": gettext("in part"),
        "missing": gettext("missing"),
        "none": gettext("does not apply"),
        "no-table": gettext("no table held"),
        "other-vintage": gettext("another release"),
        "protected": gettext("fewer than 10, not shown"),
    }.get(name, gettext("not known"))


def no_interval(definition: Definition) -> str:
    """Say why a number has no interval."""
    return gettext("exact count") if definition.unit == "count" else gettext("none published")


def brief(text: str) -> str:
    """Say a month in few letters: "Mar 2021"."""
    return f"{short_month(text)} {text[:4]}"


def name_of(force: Force | Area) -> str:
    """Return a place's name in the language of the request."""
    return force.called(lang())


def type_words(name: str) -> str:
    """Return a crime type or outcome wording in the language of the request; `all` is "all types"."""
    wording = published(name)
    if wording.counts_as != "unknown":
        return wording.shown(lang())
    return gettext("all types") if name == "all" else crime_type_named(name).called(lang())


def day(text: str) -> str:
    """Say a day: "2026-11-21" is "21 November 2026"."""
    return f"{int(text[8:10])} {month(text)}"


def value(one: Number) -> str:
    """Write a number's value with its sign, or nothing when it is not known."""
    return measured(one.value, one.definition.unit)


def interval(one: Number) -> str:
    """Say a number's interval, or that it is a count and has none."""
    if one.value is None:
        return ""
    if one.low is not None:
        if one.definition.unit not in ("share", "percent"):
            return gettext("%(low)s to %(high)s (95%% interval)") % {"low": one.low, "high": one.high}
        return gettext("%(low)s%% to %(high)s%% (95%% interval)") % {"low": one.low, "high": one.high}
    if one.definition.unit == "count":
        return gettext("An exact count: no interval")
    return gettext("No interval was published with it")


def why_none(one: Number) -> str:
    """Say why a number is not known; never a zero."""
    if one.value is not None:
        return ""
    return {
        "none": gettext("Does not apply"),
        "no-table": gettext("No table held: not known"),
        "other-vintage": gettext("Released on different days: not put together"),
        "protected": gettext("Fewer than 10: not shown"),
    }.get(one.state, gettext("Not published"))


def counts(one: Number) -> str:
    """Say in one line what a number counts, and over how many of its months when some are missing."""
    if one.id.measure not in POLICE_UK:
        return _counts_of_a_table(one)
    gap = one.street if one.id.measure in ("crimes", "charged") else one.outcomes
    said = _counts(one)
    if one.state == "partly" and gap.missing:
        total = len(gap.missing) + len(gap.empty) + len(gap.held)
        said += " " + gettext("(%(held)s of %(all)s months)") % {
            "held": total - len(gap.missing),
            "all": total,
        }
    return said


def _counts_of_a_table(one: Number) -> str:
    facts = {
        "what": one.definition.text("counts", lang()),
        "kind": type_words(one.type_name),
        "period": period(one.id.first, one.id.last),
        "part": f"{one.part:,}" if one.part is not None else "",
        "whole": f"{one.whole:,}" if one.whole is not None else "",
    }
    said = (
        gettext("%(what)s, %(period)s") if one.id.type == "all" else gettext("%(what)s: %(kind)s, %(period)s")
    )
    if one.part is not None and one.whole is not None:
        said += " " + gettext("(%(part)s of %(whole)s)")
    return said % facts


def _counts(one: Number) -> str:
    facts = {
        "period": period(one.id.first, one.id.last),
        "type": type_words(one.type_name).lower(),
        "whole": whole(one.whole or 0),
        "part": whole(one.part or 0),
        "until": month(one.until) if one.until else "",
        "area": one.area_name or one.id.area,
    }
    if one.id.measure == "crimes":
        if one.id.area == "none":
            return gettext("crimes and incidents published without an area, %(type)s, %(period)s") % facts
        if one.id.area:
            return gettext("crimes and incidents published in %(area)s, %(type)s, %(period)s") % facts
        return gettext("crimes and incidents published, %(type)s, %(period)s") % facts
    if one.id.measure == "outcomes":
        if one.id.type == "all":
            return gettext("outcomes published, %(period)s") % facts
        return gettext("outcomes published, “%(type)s”, %(period)s") % facts
    if one.value is None:
        if one.id.measure == "charged":
            return gettext("share of crimes charged, %(type)s, %(period)s") % facts
        return gettext("share of outcomes that were charges, %(period)s") % facts
    if one.id.measure == "charged":
        return (
            gettext(
                "charged: %(part)s of %(whole)s crimes (%(type)s) recorded %(period)s, "
                "with outcomes up to %(until)s"
            )
            % facts
        )
    return gettext("charges: %(part)s of %(whole)s outcomes recorded %(period)s") % facts


def warnings(one: Number) -> list[str]:
    """Say what makes a number weaker: missing months, files without rows, repeated identifiers, older files."""
    said = []
    if one.missing:
        said.append(gettext("Nothing is held for %(months)s.") % {"months": listed(one.missing)})
    if one.street.missing:
        said.append(
            gettext(
                "No crime file is held for %(months)s. Those crimes are missing from this number, not zero."
            )
            % {"months": listed(one.street.missing)}
        )
    if one.street.empty:
        said.append(
            gettext("The crime file for %(months)s was published without a single row.")
            % {"months": listed(one.street.empty)}
        )
    if one.outcomes.missing:
        said.append(
            gettext("No outcome file is held for %(months)s, so the share would be too low and is not given.")
            % {"months": listed(one.outcomes.missing)}
            if one.id.measure == "charged"
            else gettext("No outcome file is held for %(months)s. Those outcomes are missing, not zero.")
            % {"months": listed(one.outcomes.missing)}
        )
    if one.outcomes.empty:
        said.append(
            gettext(
                "The outcome file for %(months)s was published without a single row: the share may be too low."
            )
            % {"months": listed(one.outcomes.empty)}
        )
    if one.repeated:
        said.append(
            gettext(
                "%(n)s rows share their crime identifier with another row. "
                "Each is counted, as published, and each follows the same outcomes."
            )
            % {"n": whole(one.repeated)}
        )
    if one.older:
        said.append(
            ngettext(
                "%(n)s file was published in two versions that differ. The newer is used; both are kept.",
                "%(n)s files were published in two versions that differ. The newer is used; both are kept.",
                len(one.older),
            )
            % {"n": len(one.older)}
        )
    return said
