"""What happens when something breaks: killed jobs, damaged lakes, full disks, wrong places."""
