package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// seek acknowledges everything, and has it back by a snapshot and by a time. One stream is open all the while: one that has just been left
// could still be handed messages, which then wait for its leases to run out.
func seek(ctx context.Context, w *world) (facts, error) {
	if err := w.create(ctx, &pubsubpb.Topic{}, &pubsubpb.Subscription{RetainAckedMessages: true}); err != nil {
		return nil, err
	}
	admin := w.client.SubscriptionAdminClient
	start := time.Now().Add(-time.Minute)
	if err := w.publish(ctx, "one", "two"); err != nil {
		return nil, err
	}
	taken, err := admin.CreateSnapshot(ctx, &pubsubpb.CreateSnapshotRequest{Name: w.name("snapshots", "before"), Subscription: w.subscription})
	if err != nil {
		return nil, fmt.Errorf("create snapshot: %w", err)
	}
	targets := []*pubsubpb.SeekRequest{
		{Subscription: w.subscription, Target: &pubsubpb.SeekRequest_Snapshot{Snapshot: taken.Name}},
		{Subscription: w.subscription, Target: &pubsubpb.SeekRequest_Time{Time: timestamppb.New(start)}},
	}
	var rounds []int
	seen := map[string]bool{}
	var failed error
	err = w.receive(ctx, w.subscription, func(ctx context.Context, message *pubsub.Message) bool {
		seen[string(message.Data)] = true
		message.Ack()
		if len(seen) < 2 {
			return false
		}
		rounds = append(rounds, len(seen))
		seen = map[string]bool{}
		if len(rounds) > len(targets) {
			return true
		}
		_, failed = admin.Seek(ctx, targets[len(rounds)-1])
		return failed != nil
	})
	return facts{"rounds": rounds}, errors.Join(err, failed)
}
