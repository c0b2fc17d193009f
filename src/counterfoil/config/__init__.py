"""Settings, URL configuration and the WSGI entry point."""
