"""Object stores as sinks: Azure Blob Storage and S3, spoken by the egress dialer alone."""
