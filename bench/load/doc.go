// Package load puts load on one server: a population of URLs, drawn by popularity, asked for in a closed
// loop (each client asks when it has its answer) or in an open one (requests arrive by a Poisson process,
// whatever the server does, and latency counts from the moment a request was meant to be sent).
//
//	mix := load.Mix{Templates: []load.Template{t}, Places: []load.Values{widths}, Sign: key.SignTarget}
//	population, err := mix.Population()
//	g := load.New(load.Server{Base: base, Timeout: 10 * time.Second})
//	result := g.Run(ctx, load.Phase{Clients: 64, Rate: 500, Duration: time.Minute}, population)
//
// One host is contacted, redirects are not followed, and every run is bounded.
package load
