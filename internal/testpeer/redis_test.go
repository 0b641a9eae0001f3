package testpeer

import "testing"

// The peers themselves: what the tests of other packages rest on.
func TestRedis(t *testing.T) {
	s := Redis(t)
	c := s.Client(t)
	if err := c.Set(t.Context(), "a", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	if n, err := c.Exists(t.Context(), "a").Result(); err != nil || n != 0 {
		t.Fatalf("after a restart: EXISTS a = %d, %v; want 0", n, err)
	}
}

func TestRedisCluster(t *testing.T) {
	for _, address := range RedisCluster(t) {
		if err := redisClient(t, address).ClusterShards(t.Context()).Err(); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
