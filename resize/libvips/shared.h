#ifndef IMGEDGE_SHARED_H
#define IMGEDGE_SHARED_H

// Pixels in memory: 8 bits a band, rows without gaps.
typedef struct {
  const void *pixels;
  int width, height, bands;
  int interpretation;  // a VipsInterpretation
  int premultiplied;   // the last band is alpha, and the others are multiplied by it
} SharedPixels;

// Resamples a part of the pixels; what comes back is straight alpha and freed with imgedge_free. NULL: see
// libvips' error buffer, which is emptied into error.
void *imgedge_take(const SharedPixels *in, int left, int top, int width, int height, int to_width, int to_height,
                   char **error);

#endif
