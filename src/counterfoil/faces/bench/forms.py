"""What is typed on the bench."""

from django import forms


class Release(forms.Form):
    """To whom a bundle is released, and what for."""

    recipient = forms.CharField(required=False, max_length=200)
    firm = forms.CharField(required=False, max_length=200)
    purpose = forms.CharField(required=False, max_length=400)


class Mark(forms.Form):
    """A prosecutor's mark on one line of a schedule."""

    decision = forms.CharField(required=False, max_length=8)
    comment = forms.CharField(required=False, max_length=800)


class Code(forms.Form):
    """The one-time code."""

    code = forms.CharField(required=False, max_length=80)
