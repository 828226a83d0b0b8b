"""Files that lie encrypted on the disk: their form, where they are kept, and uploads that never lie there in clear."""
