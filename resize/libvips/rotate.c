#include "rotate.h"

#include <vips/vips.h>

static void *turn(VipsObject *scope, const void *pixels, int width, int height, int bands, double c, double s, int out_width,
                  int out_height) {
  VipsImage **t = (VipsImage **)vips_object_local_array(scope, 7);
  size_t size = (size_t)width * height * bands;
  VipsInterpretation space = bands > 2 ? VIPS_INTERPRETATION_sRGB : VIPS_INTERPRETATION_B_W;
  VipsInterpolate *cubic = vips_interpolate_new("bicubic");
  if (cubic == NULL) return NULL;
  vips_object_local(scope, cubic);

  // libvips speaks of the centers of px: a row of n has its middle at (n - 1) / 2.
  double x = (width - 1) / 2.0, y = (height - 1) / 2.0;
  double dx = (out_width - 1) / 2.0 - (c * x - s * y), dy = (out_height - 1) / 2.0 - (s * x + c * y);
  VipsArrayInt *area = vips_array_int_newv(4, 0, 0, out_width, out_height);
  size_t written;
  void *out = NULL;
  if ((t[0] = vips_image_new_from_memory(pixels, size, width, height, bands, VIPS_FORMAT_UCHAR)) != NULL &&
      vips_copy(t[0], &t[1], "interpretation", space, NULL) == 0 && vips_premultiply(t[1], &t[2], NULL) == 0 &&
      vips_affine(t[2], &t[3], c, -s, s, c, "interpolate", cubic, "oarea", area, "odx", dx, "ody", dy,
                  "extend", VIPS_EXTEND_BACKGROUND, "premultiplied", TRUE, NULL) == 0 &&
      vips_unpremultiply(t[3], &t[4], NULL) == 0 && vips_linear1(t[4], &t[5], 1.0, 0.5, NULL) == 0 &&
      vips_cast_uchar(t[5], &t[6], NULL) == 0)
    out = vips_image_write_to_memory(t[6], &written);
  vips_area_unref(VIPS_AREA(area));
  return out;
}

void *imgedge_rotate(const void *pixels, int width, int height, int bands, double c, double s, int out_width, int out_height) {
  VipsImage *scope = vips_image_new();
  void *out = turn(VIPS_OBJECT(scope), pixels, width, height, bands, c, s, out_width, out_height);
  g_object_unref(scope);
  return out;
}
