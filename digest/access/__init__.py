"""Who may come to the desk: logins, the second factor, locks, and what a browser may load there."""
