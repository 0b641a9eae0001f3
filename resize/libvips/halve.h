#ifndef IMGEDGE_HALVE_H
#define IMGEDGE_HALVE_H

// Writes the means of 2 × 2 pixels to out: 8 bits a band, rows without gaps, sides half as long and rounded down, at
// least 1.
void imgedge_halve(const void *pixels, int width, int height, int bands, void *out);

#endif
