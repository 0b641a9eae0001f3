#include "halve.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC optimize("O3")  // the sums of rows become vectors

static void add(const uint8_t *restrict a, const uint8_t *restrict b, uint16_t *restrict sum, size_t n) {
  for (size_t i = 0; i < n; i++) sum[i] = (uint16_t)(a[i] + b[i]);
}

// pairs averages neighbors; next is how far the second one is. bands is a constant wherever it counts, so that the inner
// loop is unrolled.
static inline __attribute__((always_inline)) void pairs(const uint16_t *sum, uint8_t *out, int n, int bands, int next) {
  for (int x = 0; x < n; x++, out += bands, sum += 2 * bands) {
    for (int b = 0; b < bands; b++) out[b] = (uint8_t)((sum[b] + sum[b + next] + 2) >> 2);
  }
}

void imgedge_halve(const void *pixels, int width, int height, int bands, void *out) {
  int w = width > 1 ? width / 2 : 1, h = height > 1 ? height / 2 : 1;
  size_t row = (size_t)width * bands;
  uint16_t *sum = g_new(uint16_t, row);
  uint8_t *to = out;
  for (int y = 0; y < h; y++, to += (size_t)w * bands) {
    const uint8_t *a = (const uint8_t *)pixels + 2 * (size_t)y * row;
    add(a, height > 1 ? a + row : a, sum, row);
    if (width == 1) {
      pairs(sum, to, w, bands, 0);
    } else if (bands == 3) {
      pairs(sum, to, w, 3, 3);
    } else if (bands == 4) {
      pairs(sum, to, w, 4, 4);
    } else {
      pairs(sum, to, w, bands, bands);
    }
  }
  g_free(sum);
}
