"""Staff sign-in: a password, then a time-based code, without JavaScript. See docs/adr/0002.

Nobody is signed in after the password alone: the session only remembers for ten minutes that one was right. A face
guards its views with `signin.guard.staff("officer", …)`, which hands them the viewer.
"""
