package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/imgedge/imgedge/cache"
)

// A node without Redis: the generation first, then the work, then the store; a purge in between wins.
func Example() {
	fleet := cache.NewFleet(nil, 0)
	defer func() { _ = fleet.Close() }()
	gens := cache.NewGenerations(fleet)
	defer func() { _ = gens.Close() }()
	memory := cache.NewMemory(64<<20, gens)
	defer func() { _ = memory.Close() }()
	tier := cache.NewRedis(fleet, gens, 0)

	ctx := context.Background()
	key := cache.NewKey(1, "shop", "a.jpg", "w=300")
	_, generation, err := tier.Load(ctx, key)
	fmt.Println(err)

	picture := &cache.Entry{Body: []byte("…"), Status: 200, Stale: time.Now().Add(time.Hour), Generation: generation}
	fmt.Println(memory.Set(ctx, key, picture))

	n, err := gens.Purge(ctx, cache.Purge{Source: "shop", Object: "a.jpg"})
	fmt.Println(n, err)
	fmt.Println(memory.Set(ctx, key, picture))
	// Output:
	// cache miss
	// <nil>
	// 1 <nil>
	// entry is older than a purge
}
