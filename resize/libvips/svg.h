#ifndef IMGEDGE_SVG_H
#define IMGEDGE_SVG_H

#include <stddef.h>

// imgedge_svg_size reports the size in px that an SVG has by itself. It returns 0, or −1 with *error, for
// imgedge_free.
int imgedge_svg_size(const void *text, size_t size, int *width, int *height, char **error);

// imgedge_svg draws an SVG so that it is width px wide, give or take one where its own size is no whole
// number. It returns 0 and RGBA for imgedge_free with its size in px, or −1 with *error, also for
// imgedge_free.
int imgedge_svg(const void *text, size_t size, int width, void **pixels, int *got_width, int *got_height,
                char **error);

#endif
