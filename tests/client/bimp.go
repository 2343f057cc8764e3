// A system that sends orders, as docs/integration.md describes it: publishes files and waits for the outcome of each.
//
//	AMQP_URL=… bimp order.json …
//
// Prints a line of JSON whenever it learns something new of a request, and ends when each of its own has its outcome.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

type order struct {
	ID     string
	Source string
	Data   struct{ Integration, Cashier string }
}

type event struct {
	ID   string
	Type string
	Data struct {
		RequestID, RequestSource string
		Order                    struct{ DocNumber *string }
		Message                  struct{ Uk string }
		Code                     string
		ReceiptMade              *bool
		AlreadyFiscalized        bool
		Receipt                  *receipt
		Receipts                 []receipt
		Prepayment               *struct{ Status, Paid, Left string }
	}
}

type receipt struct{ FiscalCode string }

// What is known of the requests: of each the last outcome, and every event that was seen.
type books struct {
	waiting  map[string]bool
	outcomes map[string]string
	seen     map[string]bool
}

// Note says whether the event is news: not one that came before, and nothing after a success.
func (b *books) note(e event) bool {
	request, outcome := e.Data.RequestSource+" "+e.Data.RequestID, outcomeOf(e)
	if b.seen[e.ID] || b.outcomes[request] == "succeeded" {
		return false
	}
	b.seen[e.ID] = true
	b.outcomes[request] = outcome
	if outcome != "delayed" {
		delete(b.waiting, request)
	}
	return true
}

func outcomeOf(e event) string {
	words := strings.Split(e.Type, ".")
	return words[len(words)-2]
}

func publish(channel *amqp.Channel, returned <-chan amqp.Return, file string) (string, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var o order
	if err := json.Unmarshal(body, &o); err != nil {
		return "", err
	}
	key := fmt.Sprintf("order.ready_to_fiscalize.%s.%s", o.Data.Integration, o.Data.Cashier)
	message := amqp.Publishing{DeliveryMode: amqp.Persistent, ContentType: "application/cloudevents+json", Body: body}
	confirmation, err := channel.PublishWithDeferredConfirmWithContext(
		context.Background(), "bimp.orders", key, true, false, message)
	if err != nil {
		return "", err
	}
	if !confirmation.Wait() {
		return "", fmt.Errorf("%s was not confirmed: publish it again", file)
	}
	select {
	case <-returned:
		return "", fmt.Errorf("no queue takes %s: publish it again later", file)
	default:
		return o.Source + " " + o.ID, nil
	}
}

func show(e event) {
	d := e.Data
	numbers := []string{}
	for _, made := range d.Receipts {
		numbers = append(numbers, made.FiscalCode)
	}
	if d.Receipt != nil {
		numbers = append(numbers, d.Receipt.FiscalCode)
	}
	line, err := json.Marshal(map[string]any{
		"outcome": outcomeOf(e), "requestId": d.RequestID, "docNumber": d.Order.DocNumber, "message": d.Message.Uk,
		"code": d.Code, "receiptMade": d.ReceiptMade, "alreadyFiscalized": d.AlreadyFiscalized,
		"fiscalCodes": numbers, "prepayment": d.Prepayment,
	})
	must(err)
	fmt.Println(string(line))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	connection, err := amqp.Dial(os.Getenv("AMQP_URL"))
	must(err)
	defer connection.Close()
	channel, err := connection.Channel()
	must(err)
	must(channel.Confirm(false))
	returned := channel.NotifyReturn(make(chan amqp.Return, len(os.Args)))

	b := books{waiting: map[string]bool{}, outcomes: map[string]string{}, seen: map[string]bool{}}
	for _, file := range os.Args[1:] {
		request, err := publish(channel, returned, file)
		must(err)
		b.waiting[request] = true
	}
	must(channel.Qos(50, 0, false))
	deliveries, err := channel.Consume("bimp.fiscal.events", "", false, false, false, false, nil)
	must(err)
	for delivery := range deliveries {
		var e event
		must(json.Unmarshal(delivery.Body, &e))
		if b.note(e) {
			show(e)
		}
		must(delivery.Ack(false)) // after the outcome is stored
		if len(b.waiting) == 0 {
			return
		}
	}
	log.Fatal("the broker ended the connection")
}
