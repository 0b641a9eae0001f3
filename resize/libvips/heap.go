package libvips

// #include <stdlib.h>
// #ifdef __GLIBC__
// #include <malloc.h>
// #endif
// static void imgedge_trim_heap(void) {
// #ifdef __GLIBC__
// 	malloc_trim(0);
// #endif
// }
import "C"

// TrimHeap gives memory that C has freed back to the system, for a process that has nothing to do for a
// while. Other allocators than glibc's do so by themselves.
func TrimHeap() { C.imgedge_trim_heap() }
