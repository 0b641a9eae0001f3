// Package signing makes and checks the signatures of URLs: keys, rotation, expiry. It needs only the
// standard library, so that any Go program that embeds pictures can import it.
//
//	key := signing.Key{ID: "k1", Secret: secret}
//	target, err := key.SignTarget("/shop/a.jpg?w=300")   // "/shop/a.jpg?w=300&s=…"
package signing
