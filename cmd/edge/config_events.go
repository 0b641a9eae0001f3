package main

import (
	"fmt"
	"net"
)

// Events are messages of buckets about what was changed behind our back.
type Events struct {
	Webhook bool     `yaml:"webhook" env:"WEBHOOK"` // POST /v1/events/{source} takes them
	Kafka   Kafka    `yaml:"kafka" envPrefix:"KAFKA_"`
	Warm    []string `yaml:"warm" env:"WARM"` // presets made of each original that was written; none = made when they are asked for
}

// Kafka is a topic of such messages, for all sources.
type Kafka struct {
	Brokers []string `yaml:"brokers" env:"BROKERS"` // host:port of some; none = off
	Topic   string   `yaml:"topic" env:"TOPIC"`
	Group   string   `yaml:"group" env:"GROUP"` // of the nodes that share a Redis
}

func defaultEvents() Events {
	return Events{Warm: []string{}, Kafka: Kafka{Brokers: []string{}, Group: "imgedge"}}
}

func (c *Config) validateEvents(r *report) {
	for i, name := range c.Events.Warm {
		if _, ok := c.Presets[name]; !ok {
			r.add(fmt.Sprintf("events.warm[%d]", i), fmt.Sprintf("there is no preset %q", name))
		}
	}
	k := &c.Events.Kafka
	for i, broker := range k.Brokers {
		if host, port, err := net.SplitHostPort(broker); err != nil || host == "" || port == "" {
			r.add(fmt.Sprintf("events.kafka.brokers[%d]", i), fmt.Sprintf("%q is no address; write host:port", broker))
		}
	}
	switch {
	case len(k.Brokers) > 0 && k.Topic == "":
		r.add("events.kafka.topic", "a topic is needed beside brokers")
	case len(k.Brokers) == 0 && k.Topic != "":
		r.add("events.kafka.brokers", "brokers are needed beside a topic")
	case len(k.Brokers) > 0 && k.Group == "":
		r.add("events.kafka.group", "a group is needed beside brokers")
	}
}
