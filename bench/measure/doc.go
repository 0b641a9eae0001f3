// Package measure runs a phase of load on a server and watches the server meanwhile: its process trees, its
// metrics, and what the load itself costs. The load generator and the comparison of servers share it.
//
//	subject, err := measure.Spec{URL: "http://127.0.0.1:8080", Templates: []string{"/local/a.jpg?w=300"}}.Subject(nil)
//	phase, result, err := subject.Run(ctx, "load", load.Phase{Clients: 8, Duration: 10 * time.Second})
package measure
