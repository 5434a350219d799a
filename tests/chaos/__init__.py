"""The kill test: real workers die at named steps, and a mail server's ledger says who got what."""
