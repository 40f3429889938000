"""What ``rolecall demo`` shows: an identity provider, a model, and the page walked with both."""
