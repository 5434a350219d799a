"""The pages of the digest: editions, thumbnails, and the mailbox of development."""
