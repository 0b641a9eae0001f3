#include "message.h"

#include <vips/vips.h>

char *imgedge_message(void) { return vips_error_buffer_copy(); }

void imgedge_free(void *p) { g_free(p); }
