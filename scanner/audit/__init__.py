"""What is decided and compared. Pure: no clock, no files, no SDK, no pandas."""
