"""How fast mail leaves, over all workers together: what an operator allows, and what the far side asks for.

Counted in the Redis or Valkey that the cache uses. A message takes its leave here before its row becomes the
wire's: what may not go yet goes back, unsent and uncounted. Two kinds of limits:

- *Rates*: SEND_RATE and SEND_QUOTA for all mail, DOMAIN_RATES for one mailbox provider, the day's cap of a
  warm-up. No span of a second, minute, hour or day, wherever it begins, holds more than its cap.
- *Waits*: a provider that answers "too many requests" is asked nothing more until its Retry-After is over, by
  nobody; a mailbox provider that puts us off again and again is left alone for a while, and the others go on.

Without the cache each worker keeps to a sixteenth of every rate, evenly, and to the waits that it heard of
itself. With no limit set and no wait on, all this is one look into the cache per tenth of a second.

Windows are told apart by the worker's clock, so clocks of several hosts must agree (NTP).
"""

from subscribers.pace.pacer import Leave, Pacer
from subscribers.pace.windows import counters, room_on

__all__ = ["Leave", "Pacer", "counters", "room_on"]
