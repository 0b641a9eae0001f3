#include "shared.h"

#include <vips/vips.h>

#include "halve.h"
#include "reduce.h"

// STRIP is how many rows are asked for at a time.
enum { STRIP = 16 };

// Level is the part after some halvings: the latest rows, as many as somebody looks at together, in 64ths of a px.
typedef struct {
  int width, height, bands;
  int capacity, stride;
  int16_t *rows;
  int made;  // rows that have come
} Level;

typedef struct {
  VipsObject *scope;
  VipsRegion *region;
  Level *levels;
  int depth;  // how many
  Reducer **reducers;
  SharedPicture *pictures;
  unsigned count;
  uint16_t *sum;  // for halvings
} Sharing;

// load opens the file. A decoder that meets damage fails, but for JPEG: see importParams.
static int load(const SharedSource *s, VipsImage **out) {
  void *data = (void *)s->data;
#define OPEN(loader, ...) loader(data, s->size, out, "access", VIPS_ACCESS_SEQUENTIAL, __VA_ARGS__, NULL)
  switch (s->loader) {
    case LOAD_JPEG:
      return OPEN(vips_jpegload_buffer, "shrink", s->shrink);
    case LOAD_PNG:
      return OPEN(vips_pngload_buffer, "fail", TRUE);
    case LOAD_WEBP:
      return OPEN(vips_webpload_buffer, "fail", TRUE, "page", s->page, "scale", s->scale);
    case LOAD_GIF:
      return OPEN(vips_gifload_buffer, "fail", TRUE, "page", s->page);
    case LOAD_TIFF:
      return OPEN(vips_tiffload_buffer, "fail", TRUE, "page", s->page);
    case LOAD_HEIF:
      return OPEN(vips_heifload_buffer, "fail", TRUE, "page", s->page);
    case LOAD_JXL:
      return OPEN(vips_jxlload_buffer, "fail", TRUE);
  }
#undef OPEN
  vips_error("imgedge", "loader %d is not known", s->loader);
  return -1;
}

// open sets up the decoder: 8 bits a band, color multiplied by alpha where there is any.
static int open(Sharing *s, const SharedSource *from, int *alpha) {
  VipsImage **t = (VipsImage **)vips_object_local_array(s->scope, 4);
  if (load(from, &t[0]) || vips_extract_area(t[0], &t[1], from->left, from->top, from->width, from->height, NULL)) return -1;
  VipsImage *last = t[1];
  if ((*alpha = vips_image_hasalpha(last))) {
    if (vips_premultiply(last, &t[2], NULL)) return -1;
    last = t[2];
  }
  if (vips_cast_uchar(last, &t[3], NULL) || (s->region = vips_region_new(t[3])) == NULL) return -1;
  vips_object_local(s->scope, s->region);
  return 0;
}

// arrange allocates pictures and what they are made from.
static int arrange(Sharing *s) {
  VipsImage *im = s->region->im;
  for (unsigned i = 0; i < s->count; i++) s->depth = MAX(s->depth, s->pictures[i].halvings + 1);
  s->levels = g_new0(Level, s->depth);
  s->reducers = g_new0(Reducer *, s->count);
  s->sum = g_new(uint16_t, (size_t)im->Xsize * im->Bands);
  for (int i = 0, w = im->Xsize, h = im->Ysize; i < s->depth; i++, w = MAX(1, w / 2), h = MAX(1, h / 2))
    s->levels[i] = (Level){.width = w, .height = h, .bands = im->Bands, .capacity = 2, .stride = w * im->Bands};
  for (unsigned i = 0; i < s->count; i++) {
    SharedPicture *p = &s->pictures[i];
    Level *l = &s->levels[p->halvings];
    if ((p->out = g_try_malloc((size_t)p->to_width * p->to_height * l->bands)) == NULL) {
      vips_error("imgedge", "no memory for %d x %d px", p->to_width, p->to_height);
      return -1;
    }
    Side x = {p->left, p->width, l->width, p->to_width}, y = {p->top, p->height, l->height, p->to_height};
    s->reducers[i] = imgedge_reducer(x, y, l->bands, p->out);
    l->capacity = MAX(l->capacity, imgedge_reducer_rows(s->reducers[i]));
  }
  for (int i = 0; i < s->depth; i++) s->levels[i].rows = g_new(int16_t, (size_t)s->levels[i].capacity * s->levels[i].stride);
  return 0;
}

static int16_t *row(const Level *l, int y) { return l->rows + (size_t)(y % l->capacity) * l->stride; }

// came tells whoever looks at a level that its next row has come, and halves it with the one before for the level below.
static void came(Sharing *s, int level) {
  Level *l = &s->levels[level];
  int y = l->made++;
  for (unsigned i = 0; i < s->count; i++) {
    if (s->pictures[i].halvings == level) imgedge_reduce(s->reducers[i], l->rows, l->capacity, l->stride, y);
  }
  if (level + 1 == s->depth || (y % 2 == 0 && l->height > 1)) return;
  Level *next = l + 1;
  imgedge_halve(row(l, MAX(0, y - 1)), row(l, y), l->width, l->bands, s->sum, row(next, next->made));
  came(s, level + 1);
}

// decode takes rows from the decoder, in order.
static int decode(Sharing *s, const int *stop) {
  Level *top = s->levels;
  for (int y = 0; y < top->height; y += STRIP) {
    VipsRect strip = {0, y, top->width, MIN(STRIP, top->height - y)};
    if (__atomic_load_n(stop, __ATOMIC_RELAXED)) {
      vips_error("imgedge", "stopped");
      return -1;
    }
    if (vips_region_prepare(s->region, &strip)) return -1;
    for (int i = 0; i < strip.height; i++) {
      imgedge_widen(VIPS_REGION_ADDR(s->region, 0, y + i), row(top, y + i), top->stride);
      came(s, 0);
    }
  }
  return 0;
}

// straighten divides color by alpha.
static void straighten(uint8_t *px, size_t n, int bands) {
  for (; n > 0; n--, px += bands) {
    int a = px[bands - 1];
    for (int b = 0; b < bands - 1; b++) px[b] = (uint8_t)(a == 0 ? 0 : MIN(255, (px[b] * 255 + a / 2) / a));
  }
}

static int share(Sharing *s, const SharedSource *source, const int *stop, int *bands) {
  int alpha = 0;
  if (open(s, source, &alpha) || arrange(s) || decode(s, stop)) return -1;
  *bands = s->levels->bands;
  for (unsigned i = 0; alpha && i < s->count; i++)
    straighten(s->pictures[i].out, (size_t)s->pictures[i].to_width * s->pictures[i].to_height, *bands);
  return 0;
}

static void end(Sharing *s) {
  for (unsigned i = 0; s->reducers != NULL && i < s->count; i++) imgedge_reducer_free(s->reducers[i]);
  for (int i = 0; s->levels != NULL && i < s->depth; i++) g_free(s->levels[i].rows);
  g_free(s->reducers), g_free(s->levels), g_free(s->sum);
  g_object_unref(s->scope);
}

int imgedge_share(const SharedSource *source, SharedPicture *pictures, unsigned count, const int *stop, int *bands, char **error) {
  Sharing s = {.scope = VIPS_OBJECT(vips_image_new()), .pictures = pictures, .count = count};
  int failed = share(&s, source, stop, bands);
  end(&s);
  if (!failed) return 0;
  for (unsigned i = 0; i < count; i++) {
    g_free(pictures[i].out);
    pictures[i].out = NULL;
  }
  *error = g_strdup(vips_error_buffer());
  vips_error_clear();
  return -1;
}
