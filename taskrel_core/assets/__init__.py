"""Files by content, where they come from, and how they are kept."""
