"""The far ends of the wire: mail servers and providers on loopback."""
