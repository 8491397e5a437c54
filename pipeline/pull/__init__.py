"""The provider's records over HTTP: a client, cursor walks, snapshots. Nothing is written here."""
