"""From desired and observed to what to do, how to roll it back, and what to run at every start; pure."""
