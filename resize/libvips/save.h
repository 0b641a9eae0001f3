#ifndef IMGEDGE_SAVE_H
#define IMGEDGE_SAVE_H

#include <stddef.h>

// SaveOptions are the settings of imgedge_save.
typedef struct {
  int width, height, bands; // of the pixels: 8 bits a channel, sRGB, 3 or 4 bands
  int webp;                 // 0 = AVIF, 1 = WebP
  int quality;              // 1–100
  int effort;               // as libvips counts it; 0 is allowed
  int lossless;
} SaveOptions;

// imgedge_save encodes pixels. The metadata of carrier, a JPEG, goes with them unless carrier_size is 0.
// It returns 0 and a buffer for g_free, or −1 with *error, also for g_free.
int imgedge_save(const void *pixels, size_t size, const SaveOptions *o, const void *carrier,
                 size_t carrier_size, void **out, size_t *out_size, char **error);

// imgedge_free gives back what imgedge_save returned.
void imgedge_free(void *p);

// imgedge_has_saver reports whether libvips has an operation of that name.
int imgedge_has_saver(const char *name);

#endif
