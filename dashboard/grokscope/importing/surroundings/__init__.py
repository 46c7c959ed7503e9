"""What lies beside a log: files of settings, and the names that its folders tell."""
