#include "svg.h"

#include <vips/vips.h>

static int report(char **error) {
  *error = g_strdup(vips_error_buffer());
  vips_error_clear();
  return -1;
}

// header opens an SVG without drawing it.
static VipsImage *header(const void *text, size_t size, double scale) {
  VipsImage *image = NULL;
  if (vips_svgload_buffer((void *)text, size, &image, "scale", scale, NULL)) return NULL;
  return image;
}

int imgedge_svg_size(const void *text, size_t size, int *width, int *height, char **error) {
  VipsImage *image = header(text, size, 1);
  if (image == NULL) return report(error);
  *width = image->Xsize;
  *height = image->Ysize;
  g_object_unref(image);
  return 0;
}

int imgedge_svg(const void *text, size_t size, int width, void **pixels, int *got_width, int *got_height,
                char **error) {
  VipsImage *image = header(text, size, 1);
  double scale = 1;
  // libvips rounds the size at scale 1, so the first scale is off by as much times itself.
  for (int i = 0; image != NULL && i < 3 && image->Xsize != width; i++) {
    scale = VIPS_CLIP(0.001, scale * width / image->Xsize, 100000);
    g_object_unref(image);
    image = header(text, size, scale);
  }
  if (image == NULL) return report(error);
  // Far from what was asked for, it would not be what was planned to be held.
  if (image->Xsize > width + 2 + width / 16 || image->Bands != 4 || image->BandFmt != VIPS_FORMAT_UCHAR) {
    vips_error("imgedge", "drawn %d px wide, with %d bands", image->Xsize, image->Bands);
    g_object_unref(image);
    return report(error);
  }
  size_t length;
  *pixels = vips_image_write_to_memory(image, &length);
  *got_width = image->Xsize;
  *got_height = image->Ysize;
  g_object_unref(image);
  return *pixels == NULL ? report(error) : 0;
}
