"""`manage.py doctor`: looks at the installation as mailbox providers and readers would."""
