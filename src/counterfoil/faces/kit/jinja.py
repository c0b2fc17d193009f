"""The Jinja2 environment of every page: GOV.UK macros, both languages, and links that keep the language."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader, PrefixLoader

from counterfoil.faces.kit import language
from counterfoil.reference.wording import say


def _link(name: str, *args: object, **kwargs: object) -> str:
    return reverse(name, args=args or None, kwargs=kwargs or None)


def environment(**options: Any) -> Environment:
    """Return the environment Django's Jinja2 backend uses."""
    govuk = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    options["loader"] = ChoiceLoader([options["loader"], govuk])
    # The GOV.UK macros read parameters that nobody passed.
    options["undefined"] = ChainableUndefined
    options["trim_blocks"] = True
    options["lstrip_blocks"] = True
    # Django asks for autoescape; said again here because a page without it would be dangerous.
    options["autoescape"] = True
    env = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], **options)  # noqa: S701
    env.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.policies["ext.i18n.trimmed"] = True
    env.globals.update(
        static=static,
        url=_link,
        lang=language.lang,
        languages=language.LANGUAGES,
        say=lambda key, part="text", **facts: say(key, language.lang(), part, **facts),
        moment=language.moment,
        size=language.size,
    )
    env.filters.update(moment=language.moment, by=language.by, size=language.size)
    return env
