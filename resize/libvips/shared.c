#include "shared.h"

#include <vips/vips.h>

static void *take(VipsObject *scope, const SharedPixels *in, int left, int top, int width, int height, int to_width,
                  int to_height) {
  VipsImage **t = (VipsImage **)vips_object_local_array(scope, 6);
  size_t size = (size_t)in->width * in->height * in->bands, written;
  if ((t[0] = vips_image_new_from_memory(in->pixels, size, in->width, in->height, in->bands, VIPS_FORMAT_UCHAR)) == NULL ||
      vips_copy(t[0], &t[1], "interpretation", in->interpretation, NULL) ||
      vips_extract_area(t[1], &t[2], left, top, width, height, NULL) ||
      vips_resize(t[2], &t[3], (double)to_width / width, "vscale", (double)to_height / height, "kernel", VIPS_KERNEL_LANCZOS3,
                  NULL))
    return NULL;
  VipsImage *last = t[3];
  if (in->premultiplied) {
    if (vips_unpremultiply(t[3], &t[4], NULL) || vips_cast_uchar(t[4], &t[5], NULL)) return NULL;
    last = t[5];
  }
  if (last->Xsize != to_width || last->Ysize != to_height) {
    vips_error("imgedge", "%dx%d px came out of a resize to %dx%d", last->Xsize, last->Ysize, to_width, to_height);
    return NULL;
  }
  return vips_image_write_to_memory(last, &written);
}

void *imgedge_take(const SharedPixels *in, int left, int top, int width, int height, int to_width, int to_height,
                   char **error) {
  VipsImage *scope = vips_image_new();
  void *out = take(VIPS_OBJECT(scope), in, left, top, width, height, to_width, to_height);
  g_object_unref(scope);
  if (out == NULL) {
    *error = g_strdup(vips_error_buffer());
    vips_error_clear();
  }
  return out;
}
