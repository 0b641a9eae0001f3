#ifndef IMGEDGE_AVIF_H
#define IMGEDGE_AVIF_H

#include <stddef.h>

// AvifOptions are the settings of imgedge_avif.
typedef struct {
  int width, height, bands; // of the pixels: 8 bits a channel, sRGB or as icc says, 3 or 4 bands
  int quality;              // 1–100
  int speed;                // 0–9
  int lossless;             // exact, also in color: RGB is not turned into YCbCr
  int full_chroma;          // 4:4:4; else 4:2:0
  const void *icc, *exif, *xmp;
  size_t icc_size, exif_size, xmp_size; // 0 = none
} AvifOptions;

// imgedge_avif encodes pixels on one thread. It returns NULL and a buffer for free, or a static text.
const char *imgedge_avif(const void *pixels, const AvifOptions *o, void **out, size_t *out_size);

// imgedge_can_avif reports whether libheif has an encoder for AV1.
int imgedge_can_avif(void);

#endif
