"""What outlives a process: rows in a relational store, and files (blobs) in a folder or an object store."""
