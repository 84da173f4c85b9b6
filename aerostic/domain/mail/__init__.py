"""E-mails on their way to the mail server."""
