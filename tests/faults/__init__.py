"""Parts of the world fail, as they do."""
