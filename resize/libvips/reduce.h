#ifndef IMGEDGE_REDUCE_H
#define IMGEDGE_REDUCE_H

#include <stdint.h>

// A reduction by Lanczos3 of rows as they come, in 64ths of a px. Its sums have 16 bits, 6 of them behind
// the point, and its weights 15, where libvips' own have 6.
typedef struct Reducer Reducer;

// One side of the window that is reduced: from px at to at + length, which need not be whole, of size px. What lies
// outside the window is as its edge.
typedef struct {
  double at, length;
  int size, to;
} Side;

// Reduces to out, 8 bits a band, which has rows without gaps of x.to px.
Reducer *imgedge_reducer(Side x, Side y, int bands, uint8_t *out);

// How many rows are looked at together, at most.
int imgedge_reducer_rows(const Reducer *r);

// Makes what can be made once row last is there, after all rows before it. Row y is at ring + y % capacity * stride.
void imgedge_reduce(Reducer *r, const int16_t *ring, int capacity, int stride, int last);

// Makes 64ths of n samples.
void imgedge_widen(const uint8_t *px, int16_t *out, int n);

void imgedge_reducer_free(Reducer *r);

#endif
