"""The pages of one edition: shape it, see the mail, let it go, understand it afterwards."""
