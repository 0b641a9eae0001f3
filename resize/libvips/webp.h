#ifndef IMGEDGE_WEBP_H
#define IMGEDGE_WEBP_H

#include <stddef.h>

// WebpOptions are the settings of imgedge_webp.
typedef struct {
  int width, height, bands; // of the pixels: 8 bits a channel, 3 or 4 bands, all frames in a column
  int quality;              // 1–100
  int effort;               // 0–6
  int lossless;
  int frames;               // 1 = a still
  int loop;                 // of an animation; 0 = for ever
  const int *delays;        // of an animation: one for each frame, ms
} WebpOptions;

// imgedge_webp encodes pixels. The metadata of carrier, a JPEG, goes with them unless carrier_size is 0.
// It returns 0 and a buffer for imgedge_free, or −1 with *error, also for imgedge_free.
int imgedge_webp(const void *pixels, size_t size, const WebpOptions *o, const void *carrier,
                 size_t carrier_size, void **out, size_t *out_size, char **error);

struct _VipsImage;

// imgedge_carry gives an image the metadata and the profile of carrier, a JPEG. It returns 0, or −1 with
// libvips' error buffer filled.
int imgedge_carry(struct _VipsImage *image, const void *carrier, size_t size);

#endif
