"""Published models: from a repository on the hub to a folder that needs no network.

Start at :mod:`paraspec.models.hub.fetch`.
"""
