package main

import (
	"context"
	"fmt"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/googleapis/gax-go/v2/apierror"
)

// exactlyOnce acknowledges with confirmations, and is told that an ack id which was given up is none any more.
func exactlyOnce(ctx context.Context, w *world) (facts, error) {
	if err := w.create(ctx, &pubsubpb.Topic{}, &pubsubpb.Subscription{EnableExactlyOnceDelivery: true}); err != nil {
		return nil, err
	}
	if err := w.publish(ctx, "one", "two", "three"); err != nil {
		return nil, err
	}
	stale, err := staleAck(ctx, w)
	if err != nil {
		return nil, err
	}
	confirmed := map[string]bool{}
	err = w.receive(ctx, w.subscription, func(ctx context.Context, message *pubsub.Message) bool {
		if got, err := message.AckWithResult().Get(ctx); err == nil && got == pubsub.AcknowledgeStatusSuccess {
			confirmed[string(message.Data)] = true
		}
		return len(confirmed) == 3
	})
	return facts{"confirmed": len(confirmed), "stale": stale}, err
}

func staleAck(ctx context.Context, w *world) (string, error) {
	admin := w.client.SubscriptionAdminClient
	pulled, err := admin.Pull(ctx, &pubsubpb.PullRequest{Subscription: w.subscription, MaxMessages: 1})
	if err != nil {
		return "", fmt.Errorf("pull: %w", err)
	}
	id := pulled.ReceivedMessages[0].AckId
	nack := &pubsubpb.ModifyAckDeadlineRequest{Subscription: w.subscription, AckIds: []string{id}}
	if err := admin.ModifyAckDeadline(ctx, nack); err != nil {
		return "", fmt.Errorf("nack: %w", err)
	}
	refusal, ok := apierror.FromError(admin.Acknowledge(ctx, &pubsubpb.AcknowledgeRequest{Subscription: w.subscription, AckIds: []string{id}}))
	if !ok {
		return "", fmt.Errorf("a stale ack id was accepted")
	}
	return refusal.Metadata()[id], nil
}
