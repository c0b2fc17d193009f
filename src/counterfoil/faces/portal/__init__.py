"""The public's pages: report, come back, track, and check a receipt. Reaches reports and places, nothing downstream."""
