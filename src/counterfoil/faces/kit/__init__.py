"""What every face shares: the base page, its components, who is looking, the two languages and the refusals.

A face renders with `kit.page.show(request, "face/page.html", {...})`, asks `kit.viewer.viewer_of(request)` who is
looking, and draws a duty, a receipt, an event and a number with the macros in `kit/things.html`, always the same way.
"""
