"""What people and scripts read: rows, CSV, JSON, the workbook. Every report is a view of one journal."""
