#ifndef IMGEDGE_HALVE_H
#define IMGEDGE_HALVE_H

#include <stdint.h>

// Writes the means of 2 × 2 px of two rows, in 64ths, to out: half as many px, rounded down, at least 1. sum is room for the
// samples of a row.
void imgedge_halve(const int16_t *a, const int16_t *b, int width, int bands, uint16_t *sum, int16_t *out);

#endif
