#include "reduce.h"

#include <glib.h>
#include <math.h>

#pragma GCC optimize("O3")  // the inner loops become vectors

#if defined(__x86_64__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "ssse3", "default")))
#else
#define WIDE
#endif

// Rows are reduced in height CHUNK samples at a time, which stay in the first cache, and in width LANES rows at a time.
enum { CHUNK = 1024, LANES = 16, ONE = 1 << 15 };

// Tap is what one px of a side is made of.
typedef struct {
  int first, count;
  int16_t *weights;  // sum ONE, but for what 16 bits cannot hold
} Tap;

struct Reducer {
  int bands, width, height;  // of what is made
  uint8_t *out;
  Tap *columns, *rows;
  int16_t *weights[2];  // of both
  int left, span;       // px of a row that count
  int most;             // rows that count together
  int next;             // row that is made next
  int16_t *block;       // 64ths of px: for each sample of the span those of LANES rows
  int held;             // rows in it
};

static double lanczos(double x) {
  if (fabs(x) < 1e-9) return 1;
  if (fabs(x) >= 3) return 0;
  return 3 * sin(G_PI * x) * sin(G_PI * x / 3) / (G_PI * G_PI * x * x);
}

// quantize makes 16 bits of weights and gives what rounding has cost to the largest. Zeros at the ends are cut off.
static void quantize(Tap *t, const double *exact, double sum) {
  int left = ONE, best = 0;
  for (int k = 0; k < t->count; k++) {
    int w = (int)lround(exact[k] / sum * ONE);
    t->weights[k] = (int16_t)MIN(w, INT16_MAX);
    left -= w;
    if (t->weights[k] > t->weights[best]) best = k;
  }
  t->weights[best] = (int16_t)CLAMP(t->weights[best] + left, INT16_MIN, INT16_MAX);
  while (t->count > 1 && t->weights[t->count - 1] == 0) t->count--;
  for (; t->count > 1 && t->weights[0] == 0; t->count--, t->first++) t->weights++;
}

// taps computes a side; all weights lie in *weights.
static Tap *taps(Side s, int16_t **weights) {
  double step = s.length / s.to, scale = fmax(1, step);
  int most = 2 * (int)ceil(3 * scale) + 2;
  int low = CLAMP((int)floor(s.at + 1e-6), 0, s.size - 1), high = CLAMP((int)ceil(s.at + s.length - 1e-6) - 1, low, s.size - 1);
  Tap *all = g_new0(Tap, s.to);
  double *exact = g_new(double, most);
  *weights = g_new0(int16_t, (size_t)most * s.to);
  for (int i = 0; i < s.to; i++) {
    double center = s.at + (i + 0.5) * step - 0.5, sum = 0;
    int from = (int)ceil(center - 3 * scale), until = (int)floor(center + 3 * scale);
    Tap *t = &all[i];
    *t = (Tap){.first = CLAMP(from, low, high), .weights = *weights + (size_t)most * i};
    t->count = CLAMP(until, low, high) - t->first + 1;
    for (int k = 0; k < t->count; k++) exact[k] = 0;
    for (int x = from; x <= until; x++) {
      double w = lanczos((x - center) / scale);
      exact[CLAMP(x, low, high) - t->first] += w, sum += w;
    }
    quantize(t, exact, sum);
  }
  g_free(exact);
  return all;
}

Reducer *imgedge_reducer(Side x, Side y, int bands, uint8_t *out) {
  Reducer *r = g_new0(Reducer, 1);
  *r = (Reducer){.bands = bands, .width = x.to, .height = y.to, .out = out};
  r->columns = taps(x, &r->weights[0]);
  r->rows = taps(y, &r->weights[1]);
  r->left = x.size;
  int right = 0;
  for (int i = 0; i < x.to; i++) {
    r->left = MIN(r->left, r->columns[i].first);
    right = MAX(right, r->columns[i].first + r->columns[i].count);
  }
  r->span = right - r->left;
  for (int i = 0, end = 0; i < y.to; i++) {  // a row waits for those above it, which may end lower: see quantize
    end = MAX(end, r->rows[i].first + r->rows[i].count);
    r->most = MAX(r->most, end - r->rows[i].first);
  }
  r->block = g_new0(int16_t, (size_t)r->span * bands * LANES);
  return r;
}

int imgedge_reducer_rows(const Reducer *r) { return r->most; }

void imgedge_reducer_free(Reducer *r) {
  if (r == NULL) return;
  g_free(r->columns), g_free(r->rows), g_free(r->weights[0]), g_free(r->weights[1]), g_free(r->block), g_free(r);
}

// times multiplies by a weight and rounds: one instruction, for as many at a time as a register holds.
static inline int16_t times(int16_t v, int16_t weight) { return (int16_t)((((v * weight) >> 14) + 1) >> 1); }

WIDE static void add4(int16_t *restrict sum, const int16_t *restrict a, const int16_t *restrict b, const int16_t *restrict c,
                      const int16_t *restrict d, const int16_t *w, int n) {
  int16_t wa = w[0], wb = w[1], wc = w[2], wd = w[3];
  for (int i = 0; i < n; i++) sum[i] = (int16_t)(sum[i] + times(a[i], wa) + times(b[i], wb) + times(c[i], wc) + times(d[i], wd));
}

WIDE static void add1(int16_t *restrict sum, const int16_t *restrict a, int16_t w, int n) {
  for (int i = 0; i < n; i++) sum[i] = (int16_t)(sum[i] + times(a[i], w));
}

void imgedge_widen(const uint8_t *px, int16_t *out, int n) {
  for (int i = 0; i < n; i++) out[i] = (int16_t)(px[i] << 6);
}

// lower makes one row of the block.
static void lower(Reducer *r, const Tap *t, const int16_t *ring, int capacity, int stride) {
  int16_t sum[CHUNK];
  int samples = r->span * r->bands;
  for (int at = 0; at < samples; at += CHUNK) {
    int n = MIN(CHUNK, samples - at), k = 0;
    const int16_t *from = ring + (size_t)r->left * r->bands + at;
    for (int i = 0; i < n; i++) sum[i] = 0;
#define ROW(k) (from + (size_t)((t->first + (k)) % capacity) * stride)
    for (; k + 4 <= t->count; k += 4) add4(sum, ROW(k), ROW(k + 1), ROW(k + 2), ROW(k + 3), t->weights + k, n);
    for (; k < t->count; k++) add1(sum, ROW(k), t->weights[k], n);
#undef ROW
    int16_t *to = r->block + (size_t)at * LANES + r->held;
    for (int i = 0; i < n; i++) to[(size_t)i * LANES] = sum[i];
  }
}

// mix makes one sample of LANES rows; step is how far the next px is. Unrolled, its loops would not become vectors.
static inline __attribute__((always_inline)) void mix(const int16_t *restrict in, const Tap *t, size_t step, uint8_t *restrict out) {
  int16_t sum[LANES];
  const int16_t *w = t->weights;
  int k = 0;
#pragma GCC unroll 1
  for (int l = 0; l < LANES; l++) sum[l] = 32;
  for (; k + 4 <= t->count; k += 4, in += 4 * step, w += 4) {
#pragma GCC unroll 1
    for (int l = 0; l < LANES; l++)
      sum[l] = (int16_t)(sum[l] + times(in[l], w[0]) + times(in[l + step], w[1]) + times(in[l + 2 * step], w[2]) +
                         times(in[l + 3 * step], w[3]));
  }
  for (; k < t->count; k++, in += step, w++) {
#pragma GCC unroll 1
    for (int l = 0; l < LANES; l++) sum[l] = (int16_t)(sum[l] + times(in[l], w[0]));
  }
#pragma GCC unroll 1
  for (int l = 0; l < LANES; l++) {
    int16_t v = sum[l] >> 6;
    v = v > 0 ? v : 0;
    v = v < 255 ? v : 255;
    out[l] = (uint8_t)v;
  }
}

// narrow makes the block's rows as wide as they are to be; row first is the upper one.
WIDE static void narrow(Reducer *r, int first) {
  size_t stride = (size_t)r->width * r->bands, step = (size_t)r->bands * LANES;
  uint8_t *to = r->out + first * stride, lanes[LANES];
  int held = r->held;
  for (int x = 0; x < r->width; x++) {
    const int16_t *in = r->block + (size_t)(r->columns[x].first - r->left) * step;
    for (int b = 0; b < r->bands; b++, to++) {
      mix(in + b * LANES, &r->columns[x], step, lanes);
      if (held == LANES) {
        for (int l = 0; l < LANES; l++) to[l * stride] = lanes[l];
      } else {
        for (int l = 0; l < held; l++) to[l * stride] = lanes[l];
      }
    }
  }
}

void imgedge_reduce(Reducer *r, const int16_t *ring, int capacity, int stride, int last) {
  for (; r->next < r->height && r->rows[r->next].first + r->rows[r->next].count - 1 <= last; r->next++) {
    lower(r, &r->rows[r->next], ring, capacity, stride);
    if (++r->held == LANES || r->next == r->height - 1) {
      narrow(r, r->next + 1 - r->held);
      r->held = 0;
    }
  }
}
