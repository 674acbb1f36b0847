"""Stage: make the gated candidate the champion, atomically and repeatably."""
