"""…/dashboard/webhook_endpoints: who is told what happens in the background."""
