"""What a person types on a case file; validates, calls nothing."""
