// Package ingest takes uploads as transactions. The files of one request are checked, cleaned of what the
// camera noted, stored under a name made from their bytes, and then committed by one object: until that is
// there, nobody sees any of them.
//
//	store := &ingest.Store{Bucket: bucket, Engine: engine, Source: "shop"}
//	file, err := store.Receive(part, "beach.jpg")
//	outcome, err := store.Upload(ctx, ingest.Order{Files: []*ingest.File{file}, Atomic: true})
//
// # What lies in the bucket
//
//	images/{id}.{ext}        the cleaned bytes; id is made from their SHA-256
//	uploads/{upload}.json    the commit record of one request: every image it brought
//	manifests/{id}.json      one image: what GET /v1/images/{id} answers
//	uploads/{upload}.part    what a client put there itself and has not completed yet
//
// The order is images, record, manifests. An image is committed if its manifest is there or a record names
// it; a manifest that is missing beside a record is made again by whoever notices. A deletion removes the
// manifest, then the image from its record, then the objects.
//
// Every object carries the metadata imgedge-upload. Sweep removes what was left behind by a crash: only
// objects of our name form with that metadata, which no record and no manifest names, older than a grace
// period. What clean-up after a failure does not reach is left to it.
package ingest
