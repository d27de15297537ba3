// Google's Go client against the server named by PUBSUB_EMULATOR_HOST, in scenarios: strangers-go SCENARIO runs one of them, prints what it saw
// as a line of JSON, and ends with 0 when everything happened as it should.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

const limit = 30 * time.Second

// facts is what a scenario saw.
type facts map[string]any

var scenarios = map[string]func(context.Context, *world) (facts, error){
	"round":        round,
	"ordering":     ordering,
	"exactly_once": exactlyOnce,
	"dead_letter":  deadLetter,
	"schema":       schema,
	"seek":         seek,
	"push":         push,
}

// world is a client, and the names of one topic and one subscription in a project of their own.
type world struct {
	client                       *pubsub.Client
	project, topic, subscription string
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string) error {
	scenario, known := scenarios[name]
	if !known {
		return errors.New("no such scenario: " + name)
	}
	project := os.Getenv("PUBSUB_PROJECT_ID")
	client, err := pubsub.NewClient(ctx, project)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	defer client.Close()
	w := &world{client, "projects/" + project, "", ""}
	w.topic, w.subscription = w.name("topics", "orders"), w.name("subscriptions", "billing")
	saw, err := scenario(ctx, w)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return json.NewEncoder(os.Stdout).Encode(saw)
}

func (w *world) name(kind, id string) string {
	return w.project + "/" + kind + "/" + id
}

// create creates the topic and the subscription, with these settings.
func (w *world) create(ctx context.Context, topic *pubsubpb.Topic, subscription *pubsubpb.Subscription) error {
	if topic.Name == "" {
		topic.Name = w.topic
	}
	if _, err := w.client.TopicAdminClient.CreateTopic(ctx, topic); err != nil {
		return fmt.Errorf("create topic: %w", err)
	}
	if subscription.Name == "" {
		subscription.Name = w.subscription
	}
	subscription.Topic = topic.Name
	if _, err := w.client.SubscriptionAdminClient.CreateSubscription(ctx, subscription); err != nil {
		return fmt.Errorf("create subscription: %w", err)
	}
	return nil
}

// publish publishes messages one by one, each when the one before has its id.
func (w *world) publish(ctx context.Context, texts ...string) error {
	publisher := w.client.Publisher(w.topic)
	publisher.PublishSettings.CountThreshold = 1
	defer publisher.Stop()
	for _, text := range texts {
		if _, err := publisher.Publish(ctx, &pubsub.Message{Data: []byte(text)}).Get(ctx); err != nil {
			return fmt.Errorf("publish %q: %w", text, err)
		}
	}
	return nil
}

// receive hands messages to a handler, one at a time, until the handler says that it has seen enough.
func (w *world) receive(ctx context.Context, subscription string, handle func(context.Context, *pubsub.Message) (enough bool)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	subscriber := w.client.Subscriber(subscription)
	one := make(chan struct{}, 1)
	return subscriber.Receive(ctx, func(ctx context.Context, message *pubsub.Message) {
		one <- struct{}{}
		if handle(ctx, message) {
			cancel()
		}
		<-one
	})
}
