#include "avif.h"

#include <libheif/heif.h>
#include <stdlib.h>
#include <string.h>

// Written through libheif itself, as libvips 8.14 does not ask it for RGB without YCbCr (needed to be
// lossless) nor for one thread.

typedef struct {
  struct heif_context *context;
  struct heif_encoder *encoder;
  struct heif_image *image;
  struct heif_image_handle *handle;
  struct heif_encoding_options *options;
  struct heif_color_profile_nclx *nclx;
  void *out;
  size_t size, room;
} Work;

#define TRY(call)                                                       \
  do {                                                                  \
    struct heif_error e = (call);                                       \
    if (e.code != heif_error_Ok) return #call;                          \
  } while (0)

static const char *fill(Work *w, const void *pixels, const AvifOptions *o) {
  int alpha = o->bands == 4, stride = 0;
  size_t row = (size_t)o->width * o->bands;
  TRY(heif_image_create(o->width, o->height, heif_colorspace_RGB,
                        alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, &w->image));
  TRY(heif_image_add_plane(w->image, heif_channel_interleaved, o->width, o->height, 8));
  uint8_t *to = heif_image_get_plane(w->image, heif_channel_interleaved, &stride);
  if (to == NULL) return "heif_image_get_plane";
  for (int y = 0; y < o->height; y++) {
    memcpy(to + (size_t)y * stride, (const uint8_t *)pixels + y * row, row);
  }
  if (o->icc_size > 0) {
    TRY(heif_image_set_raw_color_profile(w->image, "prof", o->icc, o->icc_size));
  }
  return NULL;
}

static const char *set_up(Work *w, const AvifOptions *o) {
  TRY(heif_context_get_encoder_for_format(w->context, heif_compression_AV1, &w->encoder));
  TRY(heif_encoder_set_lossy_quality(w->encoder, o->quality));
  TRY(heif_encoder_set_lossless(w->encoder, o->lossless));
  // An encoder that does not know one of these works without it.
  (void)heif_encoder_set_parameter_integer(w->encoder, "speed", o->speed);
  (void)heif_encoder_set_parameter_integer(w->encoder, "threads", 1);
  (void)heif_encoder_set_parameter_string(w->encoder, "chroma", o->full_chroma || o->lossless ? "444" : "420");
  w->nclx = heif_nclx_color_profile_alloc();
  w->options = heif_encoding_options_alloc();
  if (w->nclx == NULL || w->options == NULL) return "out of memory";
  w->nclx->color_primaries = heif_color_primaries_ITU_R_BT_709_5;
  w->nclx->transfer_characteristics = heif_transfer_characteristic_IEC_61966_2_1;
  w->nclx->matrix_coefficients =
      o->lossless ? heif_matrix_coefficients_RGB_GBR : heif_matrix_coefficients_ITU_R_BT_601_6;
  w->nclx->full_range_flag = 1;
  w->options->save_alpha_channel = o->bands == 4;
  w->options->output_nclx_profile = w->nclx;
  // libheif before 1.17 looks at the picture's own.
  TRY(heif_image_set_nclx_color_profile(w->image, w->nclx));
  return NULL;
}

static struct heif_error append(struct heif_context *context, const void *data, size_t size, void *to) {
  (void)context;
  Work *w = to;
  struct heif_error e = {heif_error_Ok, heif_suberror_Unspecified, ""};
  if (w->size + size > w->room) {
    size_t room = 2 * (w->size + size);
    void *more = realloc(w->out, room);
    if (more == NULL) {
      e.code = heif_error_Memory_allocation_error;
      return e;
    }
    w->out = more;
    w->room = room;
  }
  memcpy((char *)w->out + w->size, data, size);
  w->size += size;
  return e;
}

static const char *encode(Work *w, const void *pixels, const AvifOptions *o) {
  const char *failed;
  struct heif_writer writer = {.writer_api_version = 1, .write = append};
  if ((w->context = heif_context_alloc()) == NULL) return "out of memory";
  if ((failed = fill(w, pixels, o)) != NULL) return failed;
  if ((failed = set_up(w, o)) != NULL) return failed;
  TRY(heif_context_encode_image(w->context, w->image, w->encoder, w->options, &w->handle));
  if (o->exif_size > 0) TRY(heif_context_add_exif_metadata(w->context, w->handle, o->exif, (int)o->exif_size));
  if (o->xmp_size > 0) TRY(heif_context_add_XMP_metadata(w->context, w->handle, o->xmp, (int)o->xmp_size));
  TRY(heif_context_write(w->context, &writer, w));
  return NULL;
}

const char *imgedge_avif(const void *pixels, const AvifOptions *o, void **out, size_t *out_size) {
  Work w = {0};
  const char *failed = encode(&w, pixels, o);
  if (w.handle) heif_image_handle_release(w.handle);
  if (w.image) heif_image_release(w.image);
  if (w.options) heif_encoding_options_free(w.options);
  if (w.nclx) heif_nclx_color_profile_free(w.nclx);
  if (w.encoder) heif_encoder_release(w.encoder);
  if (w.context) heif_context_free(w.context);
  if (failed) {
    free(w.out);
    return failed;
  }
  *out = w.out;
  *out_size = w.size;
  return NULL;
}

int imgedge_can_avif(void) { return heif_have_encoder_for_format(heif_compression_AV1); }
