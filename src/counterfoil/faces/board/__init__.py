"""The board: public pages with numbers, each with its definition and a way down to the published rows."""
