#ifndef IMGEDGE_TEXT_H
#define IMGEDGE_TEXT_H

#include <stddef.h>

// imgedge_text renders Pango markup in a font ("family,family size", size in px) as alpha of width ×
// height px, cut to its ink. Lines are broken at wrap px. It returns a buffer for imgedge_free, or NULL
// after an error of libvips.
void *imgedge_text(const char *markup, const char *font, int wrap, int *width, int *height);

// imgedge_fonts limits this process to the fonts that a fontconfig document in memory leaves. 0 = failed.
int imgedge_fonts(const char *document);

// imgedge_has_font reports whether a family is among the fonts of this process.
int imgedge_has_font(const char *family);

#endif
