"""Notifier that sends e-mail through an SMTP server, by Django's own e-mail socket."""

from django.conf import settings
from django.core.mail import EmailMessage


class Smtp:
    """Sends plain e-mail with a stable Message-ID, so that a retry after an unclear answer can be recognised."""

    def send(self, address: str, subject: str, text: str, key: str) -> str:
        """Send one message and return its Message-ID."""
        host = settings.DEFAULT_FROM_EMAIL.rsplit("@", 1)[-1]
        message_id = f"<{key}@{host}>"
        message = EmailMessage(
            subject=subject,
            body=text,
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[address],
            headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
        )
        message.send(fail_silently=False)
        return message_id
