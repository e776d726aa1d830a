/* For x86-64 processors with AVX2. */
#define KERNELS kernels_avx2
#include "plan.h"

#if defined(__GNUC__) && defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define VECTOR_BYTES 32
#define TILE_ROWS 4
#include "kernels.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
const Kernels KERNELS[2] = {{0}, {0}};
#endif
