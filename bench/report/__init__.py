"""Results for a reader: tables on the terminal and in Markdown, a chart, and the page."""
