/* Matrix products: few multiplications by rows, many by the BLAS, which has threads, and those in between, on processors
   whose vectors are wide, by tiles that stay in registers: there a BLAS spends its time on copies. */

/* Products of so few multiplications are done by rows. */
#define SMALL_PRODUCT 2048
/* Products of so few multiplications, of one row or of few to predict for, keep each row's sums in vectors, if there are any;
   of larger matrices what counts is to read them from the first value to the last. */
#define FEW_ROWS_PRODUCT 262144

#ifdef VECTOR_BYTES
/* A vector of the processor, anywhere in memory. */
typedef REAL NAME(Vector) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL))));
#define LANES ((ptrdiff_t)(VECTOR_BYTES / sizeof(REAL)))
#define INLINE static inline __attribute__((always_inline))
/* Columns of a tile, in vectors: with the rows that the including file names, as many sums as there are registers for. */
#define TILE_VECTORS 3
#define UNROLLED _Pragma("GCC unroll 8")

/* A matrix by the distances, in values, between its rows and between its columns. */
typedef struct {
    const REAL *values;
    ptrdiff_t row, column;
} NAME(Matrix);

/* A tile of `out`: `n_rows` by `n_vectors`, both known when this is compiled, so that the sums stay in registers. */
INLINE void NAME(tile)(const int n_rows, const int n_vectors, NAME(Matrix) A, const REAL *restrict B, ptrdiff_t B_row,
                       const REAL *restrict start, REAL *restrict out, ptrdiff_t out_row, ptrdiff_t inner)
{
    NAME(Vector) sums[TILE_ROWS][TILE_VECTORS];
    UNROLLED for (int v = 0; v < n_vectors; v++)
        UNROLLED for (int r = 0; r < n_rows; r++)
            sums[r][v] = start ? *(const NAME(Vector) *)(start + v * LANES) : (NAME(Vector)){0};
    for (ptrdiff_t p = 0; p < inner; p++) {
        NAME(Vector) b[TILE_VECTORS];
        UNROLLED for (int v = 0; v < n_vectors; v++)
            b[v] = *(const NAME(Vector) *)(B + p * B_row + v * LANES);
        UNROLLED for (int r = 0; r < n_rows; r++)
            UNROLLED for (int v = 0; v < n_vectors; v++)
                sums[r][v] += A.values[r * A.row + p * A.column] * b[v];
    }
    UNROLLED for (int r = 0; r < n_rows; r++)
        UNROLLED for (int v = 0; v < n_vectors; v++)
            *(NAME(Vector) *)(out + r * out_row + v * LANES) = sums[r][v];
}

/* Tiles below each other. The last one ends with the last row, and computes some rows once more. */
INLINE void NAME(tiles)(const int n_rows, const int n_vectors, NAME(Matrix) A, const REAL *B, ptrdiff_t B_row,
                        const REAL *start, REAL *out, ptrdiff_t out_row, ptrdiff_t n, ptrdiff_t inner)
{
    for (ptrdiff_t i = 0; i < n; i += n_rows) {
        const ptrdiff_t first = i + n_rows <= n ? i : n - n_rows;
        const NAME(Matrix) rows = {A.values + first * A.row, A.row, A.column};
        NAME(tile)(n_rows, n_vectors, rows, B, B_row, start, out + first * out_row, out_row, inner);
    }
}

INLINE void NAME(panel)(const int n_vectors, NAME(Matrix) A, const REAL *B, ptrdiff_t B_row, const REAL *start, REAL *out,
                        ptrdiff_t out_row, ptrdiff_t n, ptrdiff_t inner)
{
    if (n >= TILE_ROWS)
        NAME(tiles)(TILE_ROWS, n_vectors, A, B, B_row, start, out, out_row, n, inner);
    else if (n >= TILE_ROWS / 2)
        NAME(tiles)(TILE_ROWS / 2, n_vectors, A, B, B_row, start, out, out_row, n, inner);
    else
        NAME(tiles)(1, n_vectors, A, B, B_row, start, out, out_row, n, inner);
}

/* Out (n, m) = start + A (n, inner) B (inner, m), with `start` added to each row, or NULL. What is no multiple of whole
   vectors, or does not lie row by row, is copied to the room. */
static void NAME(multiply)(NAME(Matrix) A, NAME(Matrix) B, const REAL *start, REAL *restrict out, ptrdiff_t out_row,
                           ptrdiff_t out_column, ptrdiff_t n, ptrdiff_t inner, ptrdiff_t m, REAL *restrict room)
{
    const ptrdiff_t width = m < LANES ? LANES : m;
    if (m < LANES || B.column != 1) {
        for (ptrdiff_t p = 0; p < inner; p++, room += width)
            for (ptrdiff_t j = 0; j < width; j++)
                room[j] = j < m ? B.values[p * B.row + j * B.column] : R(0.0);
        B = (NAME(Matrix)){room - inner * width, width, 1};
    }
    if (start && m < LANES) {
        for (ptrdiff_t j = 0; j < width; j++)
            room[j] = j < m ? start[j] : R(0.0);
        start = room;
        room += width;
    }
    const int scattered = m < LANES || out_column != 1;
    REAL *rows = scattered ? room : out;
    const ptrdiff_t step = scattered ? width : out_row;
    for (ptrdiff_t j = 0; j < width;) {
        /* The last panel ends with the last column, and computes some columns once more. */
        const ptrdiff_t left = width - j;
        const int n_vectors = left > 2 * LANES && width >= 3 * LANES ? 3 : left > LANES && width >= 2 * LANES ? 2 : 1;
        const ptrdiff_t first = j + n_vectors * LANES <= width ? j : width - n_vectors * LANES;
        const REAL *B_first = B.values + first, *start_first = start ? start + first : NULL;
        if (n_vectors == 3)
            NAME(panel)(3, A, B_first, B.row, start_first, rows + first, step, n, inner);
        else if (n_vectors == 2)
            NAME(panel)(2, A, B_first, B.row, start_first, rows + first, step, n, inner);
        else
            NAME(panel)(1, A, B_first, B.row, start_first, rows + first, step, n, inner);
        j += n_vectors * LANES;
    }
    if (scattered)
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t j = 0; j < m; j++)
                out[i * out_row + j * out_column] = rows[i * step + j];
}

/* Sums of one row's product, `n_vectors` of them, in as many chains as make eight: a sum waits for the one before it. */
INLINE void NAME(row_sums)(const int n_vectors, const REAL *A, const REAL *B, ptrdiff_t B_row, REAL *out, ptrdiff_t inner)
{
    const int n_chains = 8 / n_vectors;
    NAME(Vector) sums[8][8];
    UNROLLED for (int c = 0; c < n_chains; c++)
        UNROLLED for (int v = 0; v < n_vectors; v++)
            sums[c][v] = (NAME(Vector)){0};
    ptrdiff_t p = 0;
    for (; p + n_chains <= inner; p += n_chains)
        UNROLLED for (int c = 0; c < n_chains; c++)
            UNROLLED for (int v = 0; v < n_vectors; v++)
                sums[c][v] += A[p + c] * *(const NAME(Vector) *)(B + (p + c) * B_row + v * LANES);
    for (; p < inner; p++)
        UNROLLED for (int v = 0; v < n_vectors; v++)
            sums[0][v] += A[p] * *(const NAME(Vector) *)(B + p * B_row + v * LANES);
    UNROLLED for (int v = 0; v < n_vectors; v++) {
        UNROLLED for (int c = 1; c < n_chains; c++)
            sums[0][v] += sums[c][v];
        *(NAME(Vector) *)(out + v * LANES) = sums[0][v];
    }
}

/* Out (m) = start + A (inner) B (inner, m), of one row; `start` may be NULL. */
static void NAME(multiply_row)(const REAL *A, const REAL *B, const REAL *start, REAL *restrict out, ptrdiff_t inner,
                               ptrdiff_t m)
{
    if (m < LANES) {
        /* A vector reaches into the rows below, which the last ones do not have. */
        const ptrdiff_t below = (LANES - 1) / m, n_whole = inner > below ? inner - below : 0;
        REAL sums[VECTOR_BYTES / sizeof(REAL)];
        NAME(row_sums)(1, A, B, m, sums, n_whole);
        memcpy(out, sums, m * sizeof(REAL));
        for (ptrdiff_t p = n_whole; p < inner; p++)
            NAME(add_multiple)(B + p * m, out, A[p], m);
    }
    for (ptrdiff_t j = 0; m >= LANES && j < m;) {
        /* The last panel ends with the last column, as those of `multiply`. */
        const ptrdiff_t left = m - j;
        const int n_vectors = left > 4 * LANES && m >= 8 * LANES ? 8
                              : left > 2 * LANES && m >= 4 * LANES ? 4
                              : left > LANES && m >= 2 * LANES     ? 2
                                                                   : 1;
        const ptrdiff_t first = j + n_vectors * LANES <= m ? j : m - n_vectors * LANES;
        if (n_vectors == 8)
            NAME(row_sums)(8, A, B + first, m, out + first, inner);
        else if (n_vectors == 4)
            NAME(row_sums)(4, A, B + first, m, out + first, inner);
        else if (n_vectors == 2)
            NAME(row_sums)(2, A, B + first, m, out + first, inner);
        else
            NAME(row_sums)(1, A, B + first, m, out + first, inner);
        j += n_vectors * LANES;
    }
    if (start)
        NAME(add_multiple)(start, out, R(1.0), m);
}
#endif

/* Out (n, m) = A (n, k) W (k, m), to each row of which the intercept is added. Matrices are in C order; `fortran` says that
   `out` is not. */
static void NAME(affine)(const Layer *layer, const Blas *blas, const REAL *A, REAL *out, ptrdiff_t n, int fortran,
                         REAL *room)
{
    const REAL *W = layer->coef, *intercept = layer->intercept;
    const ptrdiff_t k = layer->fan_in, m = layer->fan_out;
#ifdef VECTOR_BYTES
    if (room && n > 1 && m > 1) {
        NAME(multiply)((NAME(Matrix)){A, k, 1}, (NAME(Matrix)){W, m, 1}, intercept, out, fortran ? 1 : m, fortran ? n : 1,
                       n, k, m, room);
        return;
    }
    if (m > 1 && n * k * m <= FEW_ROWS_PRODUCT && (n == 1 || (!room && !fortran))) {
        for (ptrdiff_t i = 0; i < n; i++)
            NAME(multiply_row)(A + i * k, W, intercept, out + i * m, k, m);
        return;
    }
#endif
    REAL one = 1;
    int rows = (int)n, inner = (int)k, columns = (int)m, unit = 1;
    if (!intercept)
        memset(out, 0, n * m * sizeof(REAL));
    else if (fortran)
        for (ptrdiff_t j = 0; j < m; j++)
            for (ptrdiff_t i = 0; i < n; i++)
                out[j * n + i] = intercept[j];
    else
        for (ptrdiff_t i = 0; i < n; i++)
            memcpy(out + i * m, intercept, m * sizeof(REAL));
    if (m == 1 && (room || n * k <= SMALL_PRODUCT))
        for (ptrdiff_t i = 0; i < n; i++)
            out[i] += NAME(dot)(A + i * k, W, k);
    else if (n == 1 || (!fortran && n * k * m <= SMALL_PRODUCT))
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t j = 0; j < k; j++)
                NAME(add_multiple)(W + j * m, out + i * m, A[i * k + j], m);
    else if (m == 1)
        blas->gemv("T", &inner, &rows, &one, (void *)A, &inner, (void *)W, &unit, &one, out, &unit);
    else if (fortran)
        blas->gemm("T", "T", &rows, &columns, &inner, &one, (void *)A, &inner, (void *)W, &columns, &one, out, &rows);
    else
        blas->gemm("N", "N", &columns, &rows, &inner, &one, (void *)W, &columns, (void *)A, &inner, &one, out, &columns);
}

/* G (k, m) = A' (k, n) D (n, m). */
static void NAME(gradient_product)(const Blas *blas, const REAL *A, const REAL *D, REAL *G, ptrdiff_t n, ptrdiff_t k,
                                   ptrdiff_t m, int fortran, REAL *room)
{
#ifdef VECTOR_BYTES
    if (room && n > 1) {
        if (m == 1)
            NAME(multiply)((NAME(Matrix)){D, n, 1}, (NAME(Matrix)){A, k, 1}, NULL, G, k, 1, 1, n, k, room);
        else
            NAME(multiply)((NAME(Matrix)){A, 1, k}, (NAME(Matrix)){D, fortran ? 1 : m, fortran ? n : 1}, NULL, G, m, 1, k,
                           n, m, room);
        return;
    }
#endif
    REAL one = 1, zero = 0;
    int rows = (int)n, inner = (int)k, columns = (int)m, unit = 1;
    if (n == 1 || ((!fortran || m == 1) && n * k * m <= SMALL_PRODUCT)) {
        memset(G, 0, k * m * sizeof(REAL));
        for (ptrdiff_t i = 0; i < n; i++)
            if (m == 1)
                NAME(add_multiple)(A + i * k, G, D[i], k);
            else
                for (ptrdiff_t j = 0; j < k; j++)
                    NAME(add_multiple)(D + i * m, G + j * m, A[i * k + j], m);
    } else if (m == 1)
        blas->gemv("N", &inner, &rows, &one, (void *)A, &inner, (void *)D, &unit, &zero, G, &unit);
    else
        blas->gemm(fortran ? "T" : "N", "T", &columns, &inner, &rows, &one, (void *)D, fortran ? &rows : &columns,
                   (void *)A, &inner, &zero, G, &columns);
}

/* E (n, k) = D (n, m) W' (m, k). */
static void NAME(error_product)(const Blas *blas, const REAL *D, const REAL *W, REAL *E, ptrdiff_t n, ptrdiff_t k,
                                ptrdiff_t m, int fortran, REAL *room)
{
    REAL one = 1, zero = 0;
    int rows = (int)n, inner = (int)k, columns = (int)m;
#ifdef VECTOR_BYTES
    if (room && n > 1 && m > 1) {
        NAME(multiply)((NAME(Matrix)){D, fortran ? 1 : m, fortran ? n : 1}, (NAME(Matrix)){W, 1, m}, NULL, E, k, 1, n, m, k,
                       room);
        return;
    }
#endif
    if (m == 1)
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t j = 0; j < k; j++)
                E[i * k + j] = D[i] * W[j];
    else if (n == 1 || (!fortran && n * k * m <= SMALL_PRODUCT))
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t j = 0; j < k; j++)
                E[i * k + j] = NAME(dot)(W + j * m, D + i * m, m);
    else
        blas->gemm("T", fortran ? "T" : "N", &inner, &rows, &columns, &one, (void *)W, &columns, (void *)D,
                   fortran ? &rows : &columns, &zero, E, &inner);
}

#undef SMALL_PRODUCT
#undef FEW_ROWS_PRODUCT
