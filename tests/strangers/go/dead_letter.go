package main

import (
	"context"
	"fmt"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

// deadLetter nacks a message until it is forwarded, and reads on the dead-letter topic where it came from.
func deadLetter(ctx context.Context, w *world) (facts, error) {
	failed := w.name("topics", "failed")
	if err := w.create(ctx, &pubsubpb.Topic{Name: failed}, &pubsubpb.Subscription{Name: w.name("subscriptions", "failed")}); err != nil {
		return nil, err
	}
	policy := &pubsubpb.DeadLetterPolicy{DeadLetterTopic: failed, MaxDeliveryAttempts: 5}
	if err := w.create(ctx, &pubsubpb.Topic{}, &pubsubpb.Subscription{DeadLetterPolicy: policy}); err != nil {
		return nil, err
	}
	if err := w.publish(ctx, "poison"); err != nil {
		return nil, err
	}
	var attempts []int
	err := w.receive(ctx, w.subscription, func(_ context.Context, message *pubsub.Message) bool {
		attempts = append(attempts, *message.DeliveryAttempt)
		message.Nack()
		return len(attempts) == 5
	})
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	saw := facts{"attempts": attempts}
	err = w.receive(ctx, w.name("subscriptions", "failed"), func(_ context.Context, message *pubsub.Message) bool {
		saw["data"] = string(message.Data)
		saw["source"] = message.Attributes["CloudPubSubDeadLetterSourceSubscription"]
		saw["count"] = message.Attributes["CloudPubSubDeadLetterSourceDeliveryCount"]
		message.Ack()
		return true
	})
	return saw, err
}
