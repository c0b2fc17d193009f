"""The demonstration: invented people, and one case told through the real pages from report to verified bundle."""
