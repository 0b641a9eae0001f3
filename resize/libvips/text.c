#include "text.h"

#include <fontconfig/fontconfig.h>
#include <vips/vips.h>

void *imgedge_text(const char *markup, const char *font, int wrap, int *width, int *height) {
  VipsImage *mask;
  if (vips_text(&mask, markup, "font", font, "dpi", 72, "width", wrap, "wrap", VIPS_TEXT_WRAP_WORD_CHAR, NULL) != 0)
    return NULL;
  size_t size;
  void *out = vips_image_write_to_memory(mask, &size);
  *width = mask->Xsize;
  *height = mask->Ysize;
  g_object_unref(mask);
  return out;
}

int imgedge_fonts(const char *document) {
  FcConfig *config = FcInitLoadConfig();
  if (config == NULL) return 0;
  int ok = FcConfigParseAndLoadFromMemory(config, (const FcChar8 *)document, FcTrue) &&
           FcConfigBuildFonts(config) && FcConfigSetCurrent(config);
  FcConfigDestroy(config); // the current one has a reference of its own
  return ok;
}

int imgedge_has_font(const char *family) {
  FcPattern *pattern = FcPatternBuild(NULL, FC_FAMILY, FcTypeString, family, NULL);
  FcObjectSet *fields = FcObjectSetBuild(FC_FAMILY, NULL);
  FcFontSet *found = FcFontList(NULL, pattern, fields);
  int n = found ? found->nfont : 0;
  if (found) FcFontSetDestroy(found);
  FcObjectSetDestroy(fields);
  FcPatternDestroy(pattern);
  return n > 0;
}
