"""`linarite netbed …`: separate hosts on one machine, to see who reaches what."""
