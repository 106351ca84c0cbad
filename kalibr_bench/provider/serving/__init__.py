"""The HTTP side of the provider; importing its modules imports aiohttp."""
