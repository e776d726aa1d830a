/* The kernels for both types, for the processors that the including file names in KERNELS. */
#include <float.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "plan.h"

static inline double seconds_now(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#define DOUBLE 0
#define REAL float
#define INTEGER uint32_t
#define R(x) x##f
#define NAME(name) name##_float32
#define MANTISSA_BITS 23
#define EXPONENT_BIAS 127
/* 1.5 * 2^23: the bits below the point are gone, and the integer may be negative. */
#define SHIFTER 12582912.0f
#define LOG2_HIGH 0.693145751953125f
#define LOG2_LOW 1.428606765330187e-06f
#define EXP_HIGHEST 100.0f
#define EXP_LOWEST (-110.0f)
#define ABSOLUTE fabsf
#define COPY_SIGN copysignf
#define SQUARE_ROOT sqrtf
#define LOGARITHM logf
#include "mathematics.h"
#include "parts.h"
#include "products.h"
#include "network.h"
#undef DOUBLE
#undef REAL
#undef INTEGER
#undef R
#undef NAME
#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#undef SHIFTER
#undef LOG2_HIGH
#undef LOG2_LOW
#undef EXP_HIGHEST
#undef EXP_LOWEST
#undef ABSOLUTE
#undef COPY_SIGN
#undef SQUARE_ROOT
#undef LOGARITHM

#define DOUBLE 1
#define REAL double
#define INTEGER uint64_t
#define R(x) x
#define NAME(name) name##_float64
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define SHIFTER 6755399441055744.0
#define LOG2_HIGH 0.6931471803691238
#define LOG2_LOW 1.9082149292705877e-10
#define EXP_HIGHEST 720.0
#define EXP_LOWEST (-760.0)
#define ABSOLUTE fabs
#define COPY_SIGN copysign
#define SQUARE_ROOT sqrt
#define LOGARITHM log
#include "mathematics.h"
#include "parts.h"
#include "products.h"
#include "network.h"

const Kernels KERNELS[2] = {
    {run_float32, predict_float32, activate_float32, derive_float32, loss_gradient_float32, function_float32,
     all_within_float32},
    {run_float64, predict_float64, activate_float64, derive_float64, loss_gradient_float64, function_float64,
     all_within_float64},
};
