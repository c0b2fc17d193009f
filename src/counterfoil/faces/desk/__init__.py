"""The desk: what officers and their inspectors see. English, dense and quiet, server-rendered, no script needed."""
