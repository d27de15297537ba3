package main

import (
	"context"
	"fmt"
	"sync"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

const (
	keys   = 3
	perKey = 20
)

// ordering publishes with ordering keys, gets over a message that is too large by resuming its key, and sees each key in its order.
func ordering(ctx context.Context, w *world) (facts, error) {
	if err := w.create(ctx, &pubsubpb.Topic{}, &pubsubpb.Subscription{EnableMessageOrdering: true}); err != nil {
		return nil, err
	}
	publisher := w.client.Publisher(w.topic)
	publisher.EnableMessageOrdering = true
	defer publisher.Stop()
	for number := range perKey {
		for key := range keys {
			publisher.Publish(ctx, &pubsub.Message{Data: fmt.Append(nil, number), OrderingKey: fmt.Sprint("key ", key)})
		}
	}
	publisher.Flush()
	paused, err := pausedAndResumed(ctx, publisher)
	if err != nil {
		return nil, err
	}

	var mutex sync.Mutex
	next := map[string]int{}
	inOrder, seen := 0, 0
	err = w.receive(ctx, w.subscription, func(_ context.Context, message *pubsub.Message) bool {
		mutex.Lock()
		defer mutex.Unlock()
		if string(message.Data) == fmt.Sprint(next[message.OrderingKey]) {
			inOrder++
		}
		next[message.OrderingKey]++
		seen++
		message.Ack()
		return seen == keys*perKey+1
	})
	return facts{"keys": len(next), "in_order": inOrder, "paused": paused}, err
}

// pausedAndResumed says whether a key was paused by a failure, and publishes its next message after resuming it.
func pausedAndResumed(ctx context.Context, publisher *pubsub.Publisher) (bool, error) {
	const key = "key 0"
	tooManyBytes := map[string]string{"attribute": string(make([]byte, 2000))} // an attribute's value has 1024 at most
	if _, err := publisher.Publish(ctx, &pubsub.Message{Attributes: tooManyBytes, OrderingKey: key}).Get(ctx); err == nil {
		return false, fmt.Errorf("a message with a value of 2000 bytes was accepted")
	}
	_, err := publisher.Publish(ctx, &pubsub.Message{Data: []byte("held back"), OrderingKey: key}).Get(ctx)
	publisher.ResumePublish(key)
	if _, err := publisher.Publish(ctx, &pubsub.Message{Data: fmt.Append(nil, perKey), OrderingKey: key}).Get(ctx); err != nil {
		return false, fmt.Errorf("after resuming: %w", err)
	}
	return err != nil, nil
}
