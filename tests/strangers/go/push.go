package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

// pushed is the body of a push request.
type pushed struct {
	Message struct {
		Data      []byte `json:"data"`
		MessageID string `json:"messageId"`
	} `json:"message"`
	Subscription string `json:"subscription"`
}

// push answers the first request with 500 and sees its message again.
func push(ctx context.Context, w *world) (facts, error) {
	requests := make(chan pushed)
	refusals := 0
	endpoint := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var body pushed
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil || refusals == 0 {
			refusals++
			writer.WriteHeader(http.StatusInternalServerError)
			return
		}
		writer.WriteHeader(http.StatusNoContent)
		requests <- body
	}))
	defer endpoint.Close()
	if err := w.create(ctx, &pubsubpb.Topic{}, &pubsubpb.Subscription{PushConfig: &pubsubpb.PushConfig{PushEndpoint: endpoint.URL}}); err != nil {
		return nil, err
	}
	if err := w.publish(ctx, "one"); err != nil {
		return nil, err
	}
	select {
	case got := <-requests:
		mine := got.Subscription == w.subscription
		return facts{"data": string(got.Message.Data), "refusals": refusals, "mine": mine, "has_id": got.Message.MessageID != ""}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no push request came")
	}
}
