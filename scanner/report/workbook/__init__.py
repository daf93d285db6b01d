"""The sheets of the workbook: one module each; what they share is in `styles`, `page`, `prose` and `table`."""
