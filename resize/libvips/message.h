#ifndef IMGEDGE_MESSAGE_H
#define IMGEDGE_MESSAGE_H

// imgedge_message returns what libvips has said since the last call, for imgedge_free.
char *imgedge_message(void);

// imgedge_free gives back memory of libvips.
void imgedge_free(void *p);

#endif
