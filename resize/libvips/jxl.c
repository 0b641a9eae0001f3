#include "jxl.h"

#include <vips/vips.h>

#include "webp.h"

void imgedge_unblock(const char *name) { vips_operation_block_set(name, FALSE); }

int imgedge_jxl(const void *pixels, size_t size, const JxlOptions *o, const void *carrier,
                size_t carrier_size, void **out, size_t *out_size, char **error) {
  VipsImage *memory = vips_image_new_from_memory(pixels, size, o->width, o->height, o->bands, VIPS_FORMAT_UCHAR);
  VipsImage *image = NULL;
  VipsInterpretation kind = o->bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  int failed = memory == NULL || vips_copy(memory, &image, "interpretation", kind, NULL) ||
               (carrier_size > 0 && imgedge_carry(image, carrier, carrier_size)) ||
               vips_jxlsave_buffer(image, out, out_size, "distance", o->distance, "effort", o->effort, "lossless",
                                   o->lossless, "strip", carrier_size == 0, NULL);
  if (failed) {
    *error = g_strdup(vips_error_buffer());
    vips_error_clear();
  }
  if (image) g_object_unref(image);
  if (memory) g_object_unref(memory);
  return failed ? -1 : 0;
}
