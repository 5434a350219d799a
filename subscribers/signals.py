"""What this app tells whoever listens; it knows no listeners."""

from django.dispatch import Signal

#: A reader left by the link of a mail. Arguments: `reader` (the Subscriber), `mail` (the link's extra: a
#: delivery's public id), `at`. Sent in the transaction of leaving, in a savepoint and by `send_robust`: no
#: listener can undo it.
left_by_link = Signal()
#: A reader does not want clicks counted any more. Argument: `reader`. Sent in the transaction of that.
clicks_taken_back = Signal()
