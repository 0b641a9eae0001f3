package jobs

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
)

const (
	hookTimeout   = 5 * time.Second // of one delivery
	maxDeliveries = 50              // of the log
)

// Sign returns the value of Imgedge-Signature for a body sent at a time: t=SECONDS,v1=HEX, where HEX is
// HMAC-SHA256 of SECONDS, a dot and the body, with the secret as its text.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Notice is the body of a webhook of kind json.
type Notice struct {
	ID      string `json:"id"`
	Event   string `json:"event"` // job.done
	State   State  `json:"state"`
	Done    int    `json:"done"`
	Failed  int    `json:"failed"`
	Total   int    `json:"total"`
	Archive string `json:"archive,omitempty"` // URL; "" = there is none
}

// hook is the task of telling one webhook of one job's end. An answer below 300 is a delivery; everything
// else, a redirect too, is tried again after the next of HookRetry.
func (w *working) hook(ctx context.Context, task *asynq.Task) error {
	id, run, ok := parseHook(task.Payload())
	if !ok {
		return fmt.Errorf("a task that is none of ours: %w", asynq.SkipRetry)
	}
	e := w.engine
	r, err := e.record(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil // swept
	} else if err != nil {
		return err
	}
	j, err := e.Get(ctx, id)
	if err != nil || r.Spec.Hook == nil {
		return err
	}
	if err := e.settled(ctx, &j); err != nil {
		return err
	}
	status, err := e.deliver(ctx, r, &j, run)
	e.noteDelivery(ctx, id, Delivery{At: e.Now().UTC(), Run: run, Status: status, Error: publicCause(status, err)})
	if err == nil {
		e.counts.hooksDelivered.Add(1)
		return nil
	}
	e.counts.hooksFailed.Add(1)
	if tried, _ := asynq.GetRetryCount(ctx); tried >= len(e.HookRetry) {
		e.counts.hooksGivenUp.Add(1)
	}
	return err
}

// settled gives a job its end where the webhook's task comes before it is told: the manifest has it.
func (e *Engine) settled(ctx context.Context, j *Job) error {
	if j.State.Ended() {
		return nil
	}
	m, err := e.manifest(ctx, j.ID)
	if m != nil {
		*j = m.Job
	} else if err == nil && e.Bucket == nil {
		j.State = outcome(false, j.Done, j.Failed)
	}
	return err
}

// deliver sends one notice. status is the answer's, 0 where there was none.
func (e *Engine) deliver(ctx context.Context, r *Record, j *Job, run int) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	body, err := notice(r, j)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Spec.Hook.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "imgedge")
	req.Header.Set("Imgedge-Delivery", deliveryID(j.ID, run))
	if e.HookSecret != "" {
		req.Header.Set("Imgedge-Signature", Sign(e.HookSecret, e.Now(), body))
	}
	answer, err := e.HookSender.RoundTrip(req) // not http.Client: a redirect is not followed
	if err != nil {
		return 0, err
	}
	_ = answer.Body.Close() // what it says does not matter
	if answer.StatusCode >= http.StatusMultipleChoices {
		return answer.StatusCode, fmt.Errorf("the webhook answered %d", answer.StatusCode)
	}
	return answer.StatusCode, nil
}

// deliveryID is the same for every try of one end of a job, so that a receiver can tell a repetition.
func deliveryID(id string, run int) string { return id + "-" + strconv.Itoa(run) }

// notice words a job's end for its webhook.
func notice(r *Record, j *Job) ([]byte, error) {
	archive := ""
	if j.Kind == KindRender && j.Done > 0 {
		archive = r.Spec.Base + "/v1/jobs/" + j.ID + "/archive"
	}
	text := fmt.Sprintf("imgedge job %s: %s, %d of %d done, %d failed", j.ID, j.State, j.Done, j.Total, j.Failed)
	if archive != "" {
		text += "\n" + archive
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	var err error
	switch r.Spec.Hook.Kind {
	case "slack":
		err = encoder.Encode(map[string]string{"text": text})
	case "discord":
		err = encoder.Encode(map[string]string{"content": text})
	default:
		err = encoder.Encode(Notice{j.ID, "job.done", j.State, j.Done, j.Failed, j.Total, archive})
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), err
}

// noteDelivery adds to the job's log, which only informs.
func (e *Engine) noteDelivery(ctx context.Context, id string, d Delivery) {
	line, err := json.Marshal(d)
	if err != nil {
		return
	}
	key := hooksKey(id)
	pipe := e.Redis.Pipeline()
	pipe.RPush(ctx, key, line)
	pipe.LTrim(ctx, key, -maxDeliveries, -1)
	pipe.PExpire(ctx, key, e.state.keep)
	if _, err := pipe.Exec(ctx); err != nil {
		e.log("a delivery was not noted", id, err)
	}
}

// publicCause words why a delivery failed, without what the network told of inside addresses.
func publicCause(status int, err error) string {
	var slow interface{ Timeout() bool }
	switch {
	case err == nil:
		return ""
	case status != 0:
		return fmt.Sprintf("the webhook answered %d", status)
	case errors.As(err, &slow) && slow.Timeout():
		return "no answer in time"
	default:
		return "not reached"
	}
}
