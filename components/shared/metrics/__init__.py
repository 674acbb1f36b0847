"""Every metric of Twinstack, a module a subject; code, documentation and dashboards come from their table.

Base units, and labels only from closed sets: never a user, a prompt or a request id.
"""
