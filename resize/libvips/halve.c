#include "halve.h"

#include <stddef.h>

#pragma GCC optimize("O3")  // the sums of rows become vectors

static void add(const int16_t *restrict a, const int16_t *restrict b, uint16_t *restrict sum, size_t n) {
  for (size_t i = 0; i < n; i++) sum[i] = (uint16_t)(a[i] + b[i]);
}

// pairs averages neighbors; next is how far the second one is. bands is a constant wherever it counts, so that the inner
// loop is unrolled.
static inline __attribute__((always_inline)) void pairs(const uint16_t *sum, int16_t *out, int n, int bands, int next) {
  for (int x = 0; x < n; x++, out += bands, sum += 2 * bands) {
    for (int b = 0; b < bands; b++) out[b] = (int16_t)((sum[b] + sum[b + next] + 2) >> 2);
  }
}

void imgedge_halve(const int16_t *a, const int16_t *b, int width, int bands, uint16_t *sum, int16_t *out) {
  add(a, b, sum, (size_t)width * bands);
  if (width == 1) {
    pairs(sum, out, 1, bands, 0);
  } else if (bands == 3) {
    pairs(sum, out, width / 2, 3, 3);
  } else if (bands == 4) {
    pairs(sum, out, width / 2, 4, 4);
  } else {
    pairs(sum, out, width / 2, bands, bands);
  }
}
