// Package edge is the HTTP face: two listeners on fasthttp, the route table, the image handler, and the
// words in which an answer is given (ETag, Range, Vary, Cache-Status, problem documents). It renders
// nothing and keeps nothing but the memo of verified URLs; pictures come from Pictures.
//
//	srv := &edge.Server{Pictures: p, Purger: p, Logger: log}
//	srv.Reload(&edge.Site{Sources: map[string]*edge.Source{"shop": shop}})
//	go srv.ServeAdmin(admin)
//	go srv.Serve(public)
//	…
//	srv.Drain()             // /readyz answers 503, serving goes on
//	err := srv.Shutdown(ctx) // listeners close, requests under way finish
package edge
