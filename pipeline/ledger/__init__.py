"""The transactional store: bookmarks, commits, invoices, payments, the outbox. The only code that knows it."""
