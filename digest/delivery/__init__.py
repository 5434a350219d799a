"""claim -> choose -> render -> send -> settle: together the sole writers of Delivery.state."""
