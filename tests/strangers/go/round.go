package main

import (
	"context"
	"fmt"
	"sort"
	"sync"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	messages = 50
	refused  = "message 7" // nacked at its first delivery
)

// round creates, publishes compressed requests, receives on a stream, nacks one message once, acknowledges the rest and deletes.
func round(ctx context.Context, w *world) (facts, error) {
	if err := w.create(ctx, &pubsubpb.Topic{}, &pubsubpb.Subscription{}); err != nil {
		return nil, err
	}
	if err := publish(ctx, w.client, w.topic); err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	deliveries, nacks, err := receive(ctx, w.client, w.subscription)
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	if err := check(deliveries, nacks); err != nil {
		return nil, err
	}
	if err := w.client.SubscriptionAdminClient.DeleteSubscription(ctx, &pubsubpb.DeleteSubscriptionRequest{Subscription: w.subscription}); err != nil {
		return nil, fmt.Errorf("delete subscription: %w", err)
	}
	if err := w.client.TopicAdminClient.DeleteTopic(ctx, &pubsubpb.DeleteTopicRequest{Topic: w.topic}); err != nil {
		return nil, fmt.Errorf("delete topic: %w", err)
	}
	if _, err := w.client.TopicAdminClient.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: w.topic}); status.Code(err) != codes.NotFound {
		return nil, fmt.Errorf("a deleted topic gave %v, not NOT_FOUND", err)
	}
	return facts{"published": messages, "seen": len(deliveries), "nacked": nacks}, nil
}

func publish(ctx context.Context, client *pubsub.Client, topic string) error {
	publisher := client.Publisher(topic)
	defer publisher.Stop()
	publisher.PublishSettings.EnableCompression = true
	publisher.PublishSettings.CompressionBytesThreshold = 0
	var results []*pubsub.PublishResult
	for number := range messages {
		data := fmt.Appendf(nil, "message %d", number)
		results = append(results, publisher.Publish(ctx, &pubsub.Message{Data: data, Attributes: map[string]string{"language": "go"}}))
	}
	for _, result := range results {
		if _, err := result.Get(ctx); err != nil {
			return err
		}
	}
	return nil
}

// receive gives how often each message was delivered, and how many nacks were sent. It ends when every message has been acknowledged.
func receive(ctx context.Context, client *pubsub.Client, subscription string) (map[string]int, int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mutex sync.Mutex
	deliveries := map[string]int{}
	acked, nacks := map[string]bool{}, 0
	err := client.Subscriber(subscription).Receive(ctx, func(_ context.Context, message *pubsub.Message) {
		mutex.Lock()
		defer mutex.Unlock()
		data := string(message.Data)
		deliveries[data]++
		if data == refused && deliveries[data] == 1 {
			nacks++
			message.Nack()
			return
		}
		message.Ack()
		if acked[data] = true; len(acked) == messages {
			cancel()
		}
	})
	return deliveries, nacks, err
}

func check(deliveries map[string]int, nacks int) error {
	if nacks != 1 || deliveries[refused] != 2 {
		return fmt.Errorf("%q came %d times after %d nacks", refused, deliveries[refused], nacks)
	}
	if len(deliveries) != messages {
		var names []string
		for name := range deliveries {
			names = append(names, name)
		}
		sort.Strings(names)
		return fmt.Errorf("%d of %d messages came: %v", len(deliveries), messages, names)
	}
	return nil
}
