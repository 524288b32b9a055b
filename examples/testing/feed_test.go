// Tests of a client, here one with net/http.
package feed

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

const script = `@resume
retry: 200
id: 1
data: one

@pause two
id: 2
data: two

@pause three
id: 3
data: three

@hang
`

// read is the client under test: it sends the data of each event, and resumes a stream that it loses.
func read(ctx context.Context, url string, events chan<- string) {
	lastID, delay := "", 3*time.Second
	for ctx.Err() == nil {
		request, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
		if lastID != "" {
			request.Header.Set("Last-Event-ID", lastID)
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			lines := bufio.NewScanner(response.Body)
			for lines.Scan() {
				switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
				case "id":
					lastID = value
				case "retry":
					milliseconds, _ := strconv.Atoi(value)
					delay = time.Duration(milliseconds) * time.Millisecond
				case "data":
					events <- value
				}
			}
			response.Body.Close()
		}
		time.Sleep(delay)
	}
}

var origin = start("--only")

// open resets the server, and returns a function that fails the test unless the next event has this data.
func open(t *testing.T) func(data string) {
	drive("POST", origin+"/-/reset", "")
	drive("PUT", origin+"/-/scripts/feed", script)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	events := make(chan string, 10)
	go read(ctx, origin+"/feed", events)
	return func(data string) {
		select {
		case event := <-events:
			if event != data {
				t.Fatalf("received %q, not %q", event, data)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%q did not arrive", data)
		}
	}
}

type entry struct {
	Time    int
	Headers http.Header
}

func journal(query string) (found entry) {
	if err := json.Unmarshal(drive("GET", origin+"/-/journal?"+query, ""), &found); err != nil {
		panic(err)
	}
	return found
}

func TestTheTestDecidesWhenEachEventIsSent(t *testing.T) {
	expect := open(t)
	expect("one")
	drive("POST", origin+"/-/go/two", "")
	expect("two")
	drive("POST", origin+"/-/send/feed", "data: pushed\n\n")
	expect("pushed")
}

func TestAClientThatLosesItsStreamResumesItAfterTheReconnectionTime(t *testing.T) {
	expect := open(t)
	expect("one")
	drive("POST", origin+"/-/go/two", "")
	expect("two")
	drive("POST", origin+"/-/drop/feed", "")
	end, request := journal("end=1&wait=5s"), journal("request=2&wait=5s")
	if id := request.Headers["last-event-id"]; len(id) != 1 || id[0] != "2" {
		t.Errorf("the last event ID is %q", id)
	}
	if pause := request.Time - end.Time; pause < 190 || pause > 1000 {
		t.Errorf("reconnected after %d ms", pause)
	}
	drive("POST", origin+"/-/go/three", "")
	expect("three")
}

func TestAResetLeavesNothingOfThePreviousTest(t *testing.T) {
	open(t)("one")
	if request := journal("request=1&wait=5s"); len(request.Headers["last-event-id"]) > 0 {
		t.Errorf("the last event ID is %q", request.Headers["last-event-id"])
	}
}
