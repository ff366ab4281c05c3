"""Pictures and pages of fit reports: rendering only."""
