"""The record of every act: who did what to which thing, when; each line committed to one public log."""
