"""Webhooks: what a server tells other systems, signed, retried and durable.

    sender = WebhookSender(outbox, dialer, declared)
    await sender.tell(Notice(type="limit.threshold.reached", data={...}))

Signed as [Standard Webhooks](https://www.standardwebhooks.com/) says. A message waits in the
outbox until its receiver has taken it (at least once; `webhook-id` tells repetitions) or is given
up as a dead letter, which people can see and send again.
"""
