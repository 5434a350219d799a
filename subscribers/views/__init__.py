"""The door: sign up, confirm, choose, leave. GET and HEAD show, POST acts."""
