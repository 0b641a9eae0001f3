package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/imgedge/imgedge/ingest"
	"github.com/imgedge/imgedge/internal/testpeer"
	"github.com/imgedge/imgedge/resize"
	"github.com/imgedge/imgedge/sample"
)

// BenchmarkUpload measures the answer to an upload of a 12 MP JPEG against what cannot be spared: looking at
// all of its pixels and one PUT to the same server. The two take turns; ratio is that of their medians.
func BenchmarkUpload(b *testing.B) {
	store := testpeer.S3(b)
	store.MakeBucket(b, "shop")
	s := start(b, ingestConfig(store, store.Endpoint, ""))
	bucket, err := openIngestBucket(s.Node.Config.Sources["shop"].Bucket, "floor/", s.Node.Config.Limits.Request)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = bucket.Close() })
	engine := gated{s.Node.Engine, s.Node.Pipeline.Gate, time.Minute}
	scene := sample.Scene(4000, 3000, 0)
	var uploads, floors []float64
	for n := 0; b.Loop(); n++ {
		photo, err := sample.JPEG(scene, sample.Meta{GPS: true, Quality: 80 + n%20, Make: fmt.Sprint(n)})
		if err != nil {
			b.Fatal(err)
		}
		body, contentType := formOf(b, nil, photo)
		began := time.Now()
		status, data := s.call(b, http.MethodPost, "/v1/images", body, "Content-Type", contentType)
		uploads = append(uploads, time.Since(began).Seconds()*1000)
		if status != http.StatusCreated {
			b.Fatalf("%d %s", status, data)
		}
		answer := decoded[uploadReply](b, data)
		s.settled(b, answer.Images[0].ID) // or the next would share the cores with it
		s.call(b, http.MethodDelete, "/v1/images/"+answer.Images[0].ID, nil)

		began = time.Now()
		src, err := engine.Probe(b.Context(), photo)
		if err != nil {
			b.Fatal(err)
		}
		plan, err := resize.Options{Format: resize.FormatJSON}.Plan(src, resize.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := engine.Run(b.Context(), photo, plan); err != nil {
			b.Fatal(err)
		}
		if err := bucket.Put(b.Context(), fmt.Sprint(n), io.NewSectionReader(bytes.NewReader(photo), 0, int64(len(photo))), ingest.How{Type: "image/jpeg"}); err != nil {
			b.Fatal(err)
		}
		floors = append(floors, time.Since(began).Seconds()*1000)
	}
	slices.Sort(uploads)
	slices.Sort(floors)
	upload, floor := uploads[len(uploads)/2], floors[len(floors)/2]
	b.ReportMetric(upload, "upload-ms")
	b.ReportMetric(floor, "floor-ms")
	b.ReportMetric(upload/floor, "ratio")
	b.ReportMetric(uploads[0]/floors[0], "best-ratio") // on a machine that does other things, too
}
