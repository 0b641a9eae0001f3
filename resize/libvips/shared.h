#ifndef IMGEDGE_SHARED_H
#define IMGEDGE_SHARED_H

#include <stddef.h>

typedef enum { LOAD_JPEG, LOAD_PNG, LOAD_WEBP, LOAD_GIF, LOAD_TIFF, LOAD_HEIF, LOAD_JXL } Loader;

// A file, and the part of it that pictures are made from, in px as it is loaded.
typedef struct {
  const void *data;
  size_t size;
  Loader loader;
  int page;      // from 0
  int shrink;    // of a JPEG
  double scale;  // of a WebP
  int left, top, width, height;
} SharedSource;

// A picture to be made: a window, in px of the part after so many halvings, which need not be whole.
typedef struct {
  int halvings;
  double left, top, width, height;
  int to_width, to_height;
  void *out;  // is filled in: straight alpha, rows without gaps, for imgedge_free
} SharedPicture;

// Decodes once and makes all pictures while rows come. bands is filled in. Between rows it looks at stop, and ends early
// if that is not 0. −1: error says why, for imgedge_free, and no picture is left.
int imgedge_share(const SharedSource *source, SharedPicture *pictures, unsigned count, const int *stop, int *bands, char **error);

#endif
