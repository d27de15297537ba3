// Google's Go client against the server named by PUBSUB_EMULATOR_HOST: create, publish, receive on a stream, nack one message once,
// acknowledge, delete. One line of JSON and exit code 0 when everything happened as it should.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	messages = 50
	refused  = "message 7" // nacked at its first delivery
	limit    = 30 * time.Second
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	project := os.Getenv("PUBSUB_PROJECT_ID")
	topic := fmt.Sprintf("projects/%s/topics/orders", project)
	subscription := fmt.Sprintf("projects/%s/subscriptions/billing", project)
	client, err := pubsub.NewClient(ctx, project)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	defer client.Close()

	if _, err := client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: topic}); err != nil {
		return fmt.Errorf("create topic: %w", err)
	}
	if _, err := client.SubscriptionAdminClient.CreateSubscription(ctx, &pubsubpb.Subscription{Name: subscription, Topic: topic}); err != nil {
		return fmt.Errorf("create subscription: %w", err)
	}
	if err := publish(ctx, client, topic); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	deliveries, nacks, err := receive(ctx, client, subscription)
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	if err := check(deliveries, nacks); err != nil {
		return err
	}

	if err := client.SubscriptionAdminClient.DeleteSubscription(ctx, &pubsubpb.DeleteSubscriptionRequest{Subscription: subscription}); err != nil {
		return fmt.Errorf("delete subscription: %w", err)
	}
	if err := client.TopicAdminClient.DeleteTopic(ctx, &pubsubpb.DeleteTopicRequest{Topic: topic}); err != nil {
		return fmt.Errorf("delete topic: %w", err)
	}
	if _, err := client.TopicAdminClient.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: topic}); status.Code(err) != codes.NotFound {
		return fmt.Errorf("a deleted topic gave %v, not NOT_FOUND", err)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"client": "go", "published": messages, "seen": len(deliveries), "nacked": nacks,
	})
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
