"""The chat page of ``winnow serve``: no build step, nothing fetched from elsewhere."""
