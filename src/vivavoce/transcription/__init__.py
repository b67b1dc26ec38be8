"""What transcriptions of recordings are made of: captions, subtitle files, and jobs that outlive their request."""
