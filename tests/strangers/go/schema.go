package main

import (
	"context"
	"fmt"
	"os"

	"cloud.google.com/go/pubsub/v2"
	vkit "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const definition = `{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}`

// schema publishes to a topic that takes only what fits its Avro schema.
func schema(ctx context.Context, w *world) (facts, error) {
	admin, err := vkit.NewSchemaClient(ctx, option.WithEndpoint(os.Getenv("PUBSUB_EMULATOR_HOST")), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	made, err := admin.CreateSchema(ctx, &pubsubpb.CreateSchemaRequest{
		Parent: w.project, SchemaId: "order", Schema: &pubsubpb.Schema{Type: pubsubpb.Schema_AVRO, Definition: definition},
	})
	if err != nil {
		return nil, fmt.Errorf("create schema: %w", err)
	}
	settings := &pubsubpb.SchemaSettings{Schema: made.Name, Encoding: pubsubpb.Encoding_JSON}
	if err := w.create(ctx, &pubsubpb.Topic{SchemaSettings: settings}, &pubsubpb.Subscription{}); err != nil {
		return nil, err
	}
	if err := w.publish(ctx, `{"id": 7}`); err != nil {
		return nil, err
	}
	publisher := w.client.Publisher(w.topic)
	defer publisher.Stop()
	_, refusal := publisher.Publish(ctx, &pubsub.Message{Data: []byte(`{"id": "seven"}`)}).Get(ctx)
	saw := facts{"refused": status.Code(refusal).String()}
	err = w.receive(ctx, w.subscription, func(_ context.Context, message *pubsub.Message) bool {
		saw["data"] = string(message.Data)
		saw["encoding"] = message.Attributes["googclient_schemaencoding"]
		saw["marked"] = message.Attributes["googclient_schemarevisionid"] == made.RevisionId
		message.Ack()
		return true
	})
	return saw, err
}
