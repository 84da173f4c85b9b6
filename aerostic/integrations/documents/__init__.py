"""Files that people bring: their text, read where they can do no harm."""
