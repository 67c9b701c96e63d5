"""What only Slurm needs: the batch script, what each of its tasks runs, and what the queue says of a job."""
