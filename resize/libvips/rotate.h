#ifndef IMGEDGE_ROTATE_H
#define IMGEDGE_ROTATE_H

#include <stddef.h>

// imgedge_rotate turns width × height px of 8 bits and the given bands, the last of which is alpha,
// clockwise by the angle with cosine c and sine s around their center, into out_width × out_height px with the same
// center. What was outside is transparent. It returns a buffer for imgedge_free, or NULL after an error
// of libvips.
void *imgedge_rotate(const void *pixels, int width, int height, int bands, double c, double s, int out_width, int out_height);

#endif
