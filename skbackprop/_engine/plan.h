/* What the module and the kernels both know: a network with the memory to train it, and the functions that do so. */
#ifndef SKBACKPROP_PLAN_H
#define SKBACKPROP_PLAN_H

#include <stddef.h>
#include <stdint.h>

/* Each number is the place of the Python class of that name in the table of the same name in compiled.py. */
enum { IDENTITY, LOGISTIC, TANH, RELU, SILU, GELU, ELU, N_ACTIVATIONS };
enum {
    BINARY_LOG_LOSS, SIGMOID_SQUARED_ERROR, CATEGORICAL_LOG_LOSS, SQUARED_ERROR, QUANTILE, ABSOLUTE_ERROR, HUBER_LOSS,
    POISSON_DEVIANCE, GAMMA_DEVIANCE, ROUNDED_BINARY_LOG_LOSS, ROUNDED_CATEGORICAL_LOG_LOSS, MEAN_SQUARED_ERROR, N_LOSSES
};
enum { SGD, ADAM, RPROP, N_OPTIMIZERS };
enum { EXP, EXPM1, LOG1P, TANH_FUNCTION, N_FUNCTIONS };
/* What is returned of raw scores: themselves, probabilities of labels, of classes, of the one class and the other. */
enum { RAW_SCORES, LABELS, CLASSES, TWO_CLASSES, N_LINKS };

/* numpy/random/bitgen.h: what a Generator draws from. */
typedef struct {
    void *state;
    uint64_t (*next_uint64)(void *state);
    uint32_t (*next_uint32)(void *state);
    double (*next_double)(void *state);
    uint64_t (*next_raw)(void *state);
} RandomBits;

/* The products of scipy's BLAS for one type, as Fortran calls them. */
typedef struct {
    void (*gemm)(char *, char *, int *, int *, int *, void *, void *, int *, void *, int *, void *, void *, int *);
    void (*gemv)(char *, int *, int *, void *, void *, int *, void *, int *, void *, void *, int *);
} Blas;

/* A layer: its parameters, their gradients, and room for what a batch makes of it. */
typedef struct {
    ptrdiff_t fan_in, fan_out;
    int activation;           /* of a hidden layer */
    double penalty;           /* strength of the L2 penalty on its weights */
    void *coef, *intercept;   /* (fan_in, fan_out) and (fan_out,); no intercept is NULL */
    void *coef_gradient, *intercept_gradient;
    void *output, *delta, *cache, *mask, *dropped; /* (n_rows, fan_out); of the last layer in Fortran order */
} Layer;

/* An array of numbers, a row for each sample; strides in bytes. */
typedef struct {
    const char *data;
    ptrdiff_t row_stride, column_stride;
    char type;                /* as the struct module has it: f, d, B or ? */
} Rows;

typedef struct {
    const Blas *blas;
    ptrdiff_t n_layers, n_weights, n_parameters;
    Layer *layers;

    int loss, optimizer, own_weight, tied, with_loss, own_products;
    double loss_setting, optimizer_settings[5];
    double scale;             /* on the sum of a batch's losses; NaN for one over its samples */
    double clip_norm;         /* infinite for none */
    double weight_decay;
    double keep;              /* 1 - dropout */
    RandomBits *random;

    ptrdiff_t n_samples, batch_size;
    Rows X, Y;
    const void *sample_weight, *mean_of_X, *scale_of_X; /* NULL for none */
    const ptrdiff_t *order;   /* NULL for the rows as they stand */
    double noise;
    int gathered;             /* whether the only batch, in a fixed order, is in place */
    const void *batch_X;      /* the batch that is trained on */
    void *X_room, *batch_Y, *batch_weight, *scratch, *values;
    void *room;               /* for our own products; NULL if the BLAS makes all that are not small */

    void *theta, *gradient, *mean, *memory[3];
} Plan;

/* One call of `run`, which leaves it as it was when it stopped. */
typedef struct {
    ptrdiff_t row, stop;      /* rows done and to do; past `n_samples` they begin anew */
    ptrdiff_t steps;
    const double *rates;      /* one learning rate a step, or one for all */
    ptrdiff_t n_rates;
    const void *noise;        /* standard normal, for the rows from the first on */
    double seconds;           /* after so many it breaks off */
    double counter;           /* what the optimizer keeps beside arrays: steps, or the last loss */
    double total;             /* sum of the losses over the rows */
} Call;

typedef struct {
    void (*run)(Plan *plan, Call *call);
    int (*predict)(const Layer *layers, ptrdiff_t n_layers, const Blas *blas, int link, const void *X, ptrdiff_t n_rows,
                   void *room, void *products, void *out);
    void (*forward)(int activation, void *A, void *cache, ptrdiff_t size);
    void (*backward)(int activation, void *A, void *cache, void *delta, ptrdiff_t size);
    void (*loss_gradient)(int loss, double setting, const void *Y, void *Z, void *values, void *gradient, void *scratch,
                          ptrdiff_t n_rows, ptrdiff_t n_outputs);
    void (*function)(int function, void *A, ptrdiff_t size);
    int (*all_within)(const void *A, ptrdiff_t size, double bound);
} Kernels;

/* For float32 and float64; of a processor that cannot run them the first run is NULL. */
extern const Kernels kernels_baseline[2], kernels_avx2[2], kernels_avx512[2];

#endif
