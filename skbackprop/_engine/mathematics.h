/* exp, expm1, log1p and tanh without branches or calls, so that the compiler makes vectors of the loops around them.

   Each is within 4 units in the last place, on the range that is named. Infinity and NaN come out as they should, for which
   the compiler must not assume that there are none. The coefficients are those of the Taylor series. */

/* A number's bits. */
static inline INTEGER NAME(bits)(REAL x)
{
    union { REAL real; INTEGER integer; } both = {x};
    return both.integer;
}

/* 2^n for an integer n, of a size that is within the exponents; `shifted` is n + SHIFTER. */
static inline REAL NAME(power_of_two)(REAL shifted)
{
    union { INTEGER integer; REAL real; } both = {(NAME(bits)(shifted) + EXPONENT_BIAS) << MANTISSA_BITS};
    return both.real;
}

/* e^r - 1 for |r| <= log(2) / 2. */
static inline REAL NAME(expm1_series)(REAL r)
{
#if DOUBLE
    REAL sum = R(1.6059043836821613e-10);
    sum = sum * r + R(2.08767569878681e-09);
    sum = sum * r + R(2.505210838544172e-08);
    sum = sum * r + R(2.755731922398589e-07);
    sum = sum * r + R(2.7557319223985893e-06);
    sum = sum * r + R(2.48015873015873e-05);
    sum = sum * r + R(0.0001984126984126984);
#else
    REAL sum = R(0.0001984126984126984);
#endif
    sum = sum * r + R(0.001388888888888889);
    sum = sum * r + R(0.008333333333333333);
    sum = sum * r + R(0.041666666666666664);
    sum = sum * r + R(0.16666666666666666);
    sum = sum * r + R(0.5);
    return sum * r * r + r;
}

/* Adding SHIFTER rounds to an integer, which then stands in the lowest bits. */
static inline REAL NAME(exp)(REAL x)
{
    x = x > EXP_HIGHEST ? EXP_HIGHEST : x;
    x = x < EXP_LOWEST ? EXP_LOWEST : x;
    REAL n = (x * R(1.4426950408889634) + SHIFTER) - SHIFTER;
    REAL r = (x - n * LOG2_HIGH) - n * LOG2_LOW;
    /* In two halves, for 2^n alone may be out of range where the result is not. */
    REAL half = n * R(0.5) + SHIFTER;
    REAL rest = (n - (half - SHIFTER)) + SHIFTER;
    return (R(1.0) + NAME(expm1_series)(r)) * NAME(power_of_two)(half) * NAME(power_of_two)(rest);
}

/* e^x - 1 for x up to 50. */
static inline REAL NAME(expm1)(REAL x)
{
    x = x > R(50.0) ? R(50.0) : x;
    x = x < R(-50.0) ? R(-50.0) : x;
    REAL shifted = x * R(1.4426950408889634) + SHIFTER;
    REAL n = shifted - SHIFTER;
    REAL r = (x - n * LOG2_HIGH) - n * LOG2_LOW;
    REAL power = NAME(power_of_two)(shifted);
    return power * NAME(expm1_series)(r) + (power - R(1.0));
}

/* log(1 + y) for y in [0, 1], by 2 artanh(s) with s = f / (2 + f), f between sqrt(1/2) - 1 and sqrt(2) - 1. */
static inline REAL NAME(log1p)(REAL y)
{
    int large = y > R(0.41421356);
    REAL f = large ? R(0.5) * y - R(0.5) : y;
    REAL s = f / (R(2.0) + f), square = s * s;
#if DOUBLE
    REAL sum = R(0.08695652173913043);
    sum = sum * square + R(0.09523809523809523);
    sum = sum * square + R(0.10526315789473684);
    sum = sum * square + R(0.11764705882352941);
    sum = sum * square + R(0.13333333333333333);
    sum = sum * square + R(0.15384615384615385);
    sum = sum * square + R(0.18181818181818182);
#else
    REAL sum = R(0.18181818181818182);
#endif
    sum = sum * square + R(0.2222222222222222);
    sum = sum * square + R(0.2857142857142857);
    sum = sum * square + R(0.4);
    sum = sum * square + R(0.6666666666666666);
    /* log(1 + f) = f - s (f - R) with R = sum s^2. */
    REAL small_part = s * (f - sum * square);
    REAL high = large ? LOG2_HIGH : R(0.0), low = large ? LOG2_LOW : R(0.0);
    return high + (f - (small_part - low));
}

/* tanh(|x|) = e / (e + 2) with e = exp(2 |x|) - 1, which is 1 to rounding beyond 22. */
static inline REAL NAME(tanh)(REAL x)
{
    REAL size = ABSOLUTE(x);
    size = size > R(22.0) ? R(22.0) : size;
    REAL e = NAME(expm1)(R(2.0) * size);
    return COPY_SIGN(e / (e + R(2.0)), x);
}

static inline REAL NAME(sigmoid)(REAL z)
{
    return R(1.0) / (R(1.0) + NAME(exp)(-z));
}

/* log(1 + exp(z)) without overflow. */
static inline REAL NAME(softplus)(REAL z)
{
    return (z > R(0.0) ? z : R(0.0)) + NAME(log1p)(NAME(exp)(-ABSOLUTE(z)));
}

/* The distribution function of the standard normal distribution; erfc is the C library's. */
static inline REAL NAME(normal_distribution)(REAL z)
{
    return (REAL)(0.5 * erfc(-(double)z * 0.7071067811865476));
}

static inline REAL NAME(dot)(const REAL *restrict x, const REAL *restrict y, ptrdiff_t size)
{
    REAL sum = 0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < size; i++)
        sum += x[i] * y[i];
    return sum;
}

static inline REAL NAME(sum)(const REAL *restrict x, ptrdiff_t size)
{
    REAL sum = 0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < size; i++)
        sum += x[i];
    return sum;
}

/* y += factor x */
static inline void NAME(add_multiple)(const REAL *restrict x, REAL *restrict y, REAL factor, ptrdiff_t size)
{
    for (ptrdiff_t i = 0; i < size; i++)
        y[i] += factor * x[i];
}

static void NAME(function)(int function, void *restrict array, ptrdiff_t size)
{
    REAL *restrict A = array;
    switch (function) {
    case EXP:
        for (ptrdiff_t i = 0; i < size; i++) A[i] = NAME(exp)(A[i]);
        break;
    case EXPM1:
        for (ptrdiff_t i = 0; i < size; i++) A[i] = NAME(expm1)(A[i]);
        break;
    case LOG1P:
        for (ptrdiff_t i = 0; i < size; i++) A[i] = NAME(log1p)(A[i]);
        break;
    case TANH_FUNCTION:
        for (ptrdiff_t i = 0; i < size; i++) A[i] = NAME(tanh)(A[i]);
        break;
    }
}
