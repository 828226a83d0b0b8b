"""What a file is, by its content, and a picture without what it says of who took it and where."""
