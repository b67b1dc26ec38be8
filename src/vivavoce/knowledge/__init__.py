"""What users let the assistant know: files → blocks of text → passages → index → search."""
