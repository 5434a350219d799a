"""What providers tell of mails that have left: judged, kept first, applied afterwards, in whatever order."""
