"""The chat page of ``winnow serve``: one file, no build step, nothing fetched from elsewhere."""
