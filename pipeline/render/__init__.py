"""render: the documents of invoices. Jinja2 and WeasyPrint are used here and nowhere else."""
