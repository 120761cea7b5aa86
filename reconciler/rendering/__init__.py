"""Plans, reports and diagnostics for people: one walk over a plan (`view`), and a writer for each format."""
