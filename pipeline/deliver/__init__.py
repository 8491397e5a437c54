"""deliver: issued invoices leave by e-mail, each at most once. smtplib is used here and nowhere else."""
