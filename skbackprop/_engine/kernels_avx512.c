/* For x86-64 processors with AVX512. */
#define KERNELS kernels_avx512
#include "plan.h"

#if defined(__GNUC__) && defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#endif
#define VECTOR_BYTES 64
#define TILE_ROWS 8
#include "kernels.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
const Kernels KERNELS[2] = {{0}, {0}};
#endif
