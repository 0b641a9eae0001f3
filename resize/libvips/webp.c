#include "webp.h"

#include <string.h>
#include <vips/vips.h>

// copy_field copies one metadata field of the carrier.
static void *copy_field(VipsImage *from, const char *name, GValue *value, void *to) {
  (void)from;
  if (g_str_has_prefix(name, "exif-") || strcmp(name, VIPS_META_ICC_NAME) == 0 ||
      strcmp(name, VIPS_META_XMP_NAME) == 0 || strcmp(name, VIPS_META_IPTC_NAME) == 0 ||
      strcmp(name, VIPS_META_ORIENTATION) == 0) {
    vips_image_set((VipsImage *)to, name, value);
  }
  return NULL;
}

int imgedge_carry(VipsImage *image, const void *carrier, size_t size) {
  VipsImage *from = NULL;
  if (vips_jpegload_buffer((void *)carrier, size, &from, NULL)) return -1;
  vips_image_map(from, copy_field, image);
  g_object_unref(from);
  return 0;
}

static int encode(VipsImage *image, const WebpOptions *o, int strip, void **out, size_t *out_size) {
  return vips_webpsave_buffer(image, out, out_size, "Q", o->quality, "lossless", o->lossless, "effort",
                              o->effort, "strip", strip, NULL);
}

static void animate(VipsImage *image, const WebpOptions *o) {
  if (o->frames <= 1) return;
  vips_image_set_int(image, VIPS_META_N_PAGES, o->frames);
  vips_image_set_int(image, VIPS_META_PAGE_HEIGHT, o->height / o->frames);
  vips_image_set_int(image, "loop", o->loop);
  vips_image_set_array_int(image, "delay", o->delays, o->frames);
}

int imgedge_webp(const void *pixels, size_t size, const WebpOptions *o, const void *carrier,
                 size_t carrier_size, void **out, size_t *out_size, char **error) {
  VipsImage *memory = vips_image_new_from_memory(pixels, size, o->width, o->height, o->bands, VIPS_FORMAT_UCHAR);
  VipsImage *image = NULL;
  int failed = memory == NULL ||
               vips_copy(memory, &image, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) ||
               (carrier_size > 0 && imgedge_carry(image, carrier, carrier_size));
  if (!failed) {
    animate(image, o);
    failed = encode(image, o, carrier_size == 0, out, out_size);
  }
  if (failed) {
    *error = g_strdup(vips_error_buffer());
    vips_error_clear();
  }
  if (image) g_object_unref(image);
  if (memory) g_object_unref(memory);
  return failed ? -1 : 0;
}
