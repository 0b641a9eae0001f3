#ifndef IMGEDGE_JXL_H
#define IMGEDGE_JXL_H

#include <stddef.h>

// JxlOptions are the settings of imgedge_jxl.
typedef struct {
  int width, height, bands; // of the pixels: 8 bits a channel, sRGB or as the carrier's profile says, 1 to 4 bands
  double distance;          // Butteraugli, 0.01–15
  int effort;               // 3–9
  int lossless;
} JxlOptions;

// imgedge_jxl encodes pixels. The profile and the metadata of carrier, a JPEG, go with them unless
// carrier_size is 0. It returns 0 and a buffer for imgedge_free, or −1 with *error, also for imgedge_free.
int imgedge_jxl(const void *pixels, size_t size, const JxlOptions *o, const void *carrier,
                size_t carrier_size, void **out, size_t *out_size, char **error);

// imgedge_unblock lets libvips use an operation that VIPS_BLOCK_UNTRUSTED has blocked, by the name of its class.
void imgedge_unblock(const char *name);

#endif
