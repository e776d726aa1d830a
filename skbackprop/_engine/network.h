/* The network on batches: gather, forward, loss, backward, step; and the run over the batches. */

/* Parameters that are updated at a time: several vectors of so many stay in the core's nearest cache. */
#define BLOCK 2048
/* Multiplications between two looks at the clock. */
#define WORK_A_LOOK 4000000

/* Silence units at random and scale the rest up; see `HiddenLayer._drop_out`. */
static const REAL *NAME(drop_out)(const Plan *plan, const Layer *layer, ptrdiff_t size)
{
    REAL *restrict mask = layer->mask, *restrict dropped = layer->dropped;
    const REAL *restrict output = layer->output;
    const REAL keep = (REAL)plan->keep;
    RandomBits *random = plan->random;
    for (ptrdiff_t i = 0; i < size; i++) {
#if DOUBLE
        REAL draw = random->next_double(random->state);
#else
        REAL draw = (REAL)(random->next_uint32(random->state) >> 8) * R(5.9604644775390625e-08);
#endif
        mask[i] = (draw < keep ? R(1.0) : R(0.0)) / keep;
    }
    for (ptrdiff_t i = 0; i < size; i++)
        dropped[i] = output[i] * mask[i];
    return dropped;
}

static void NAME(forward_pass)(Plan *plan, ptrdiff_t n)
{
    const REAL *A = plan->batch_X;
    for (ptrdiff_t l = 0; l < plan->n_layers - 1; l++) {
        Layer *layer = plan->layers + l;
        NAME(affine)(layer, plan->blas, A, layer->output, n, 0, plan->room);
        NAME(activate)(layer->activation, layer->output, layer->cache, n * layer->fan_out);
        A = layer->mask ? NAME(drop_out)(plan, layer, n * layer->fan_out) : layer->output;
    }
    Layer *last = plan->layers + plan->n_layers - 1;
    NAME(affine)(last, plan->blas, A, last->output, n, 1, plan->room);
}

static void NAME(backward_pass)(Plan *plan, ptrdiff_t n)
{
    for (ptrdiff_t l = plan->n_layers - 1; l >= 0; l--) {
        Layer *layer = plan->layers + l, *below = layer - 1;
        const int fortran = l == plan->n_layers - 1;
        const ptrdiff_t k = layer->fan_in, m = layer->fan_out;
        const REAL *delta = layer->delta;
        REAL *gradient = layer->intercept_gradient;
        if (gradient && (fortran || m == 1))
            for (ptrdiff_t j = 0; j < m; j++)
                gradient[j] = NAME(sum)(delta + j * n, n);
        else if (gradient) {
            memcpy(gradient, delta, m * sizeof(REAL));
            for (ptrdiff_t i = 1; i < n; i++)
                NAME(add_multiple)(delta + i * m, gradient, R(1.0), m);
        }
        const REAL *A = l == 0 ? plan->batch_X : below->mask ? below->dropped : below->output;
        NAME(gradient_product)(plan->blas, A, delta, layer->coef_gradient, n, k, m, fortran, plan->room);
        if (l == 0)
            return;
        NAME(error_product)(plan->blas, delta, layer->coef, below->delta, n, k, m, fortran, plan->room);
        if (below->mask) {
            REAL *restrict error = below->delta;
            const REAL *restrict mask = below->mask;
            for (ptrdiff_t i = 0; i < n * k; i++)
                error[i] *= mask[i];
        }
        NAME(derive)(below->activation, below->output, below->cache, below->delta, n * k);
    }
}

/* Put a batch, rows `first` to `first + n` of the order, in place. */
static void NAME(gather)(Plan *plan, ptrdiff_t first, ptrdiff_t n, const REAL *noise)
{
    const ptrdiff_t n_features = plan->layers[0].fan_in, n_outputs = plan->layers[plan->n_layers - 1].fan_out;
    const size_t row_bytes = n_features * sizeof(REAL);
    const Rows *X = &plan->X, *Y = &plan->Y;
    REAL *room = plan->X_room, *targets = plan->batch_Y;
    if (room) {
        const REAL *mean = plan->mean_of_X, *scale = plan->scale_of_X;
        for (ptrdiff_t i = 0; i < n; i++) {
            ptrdiff_t row = plan->order ? plan->order[first + i] : first + i;
            REAL *restrict x = room + i * n_features;
            memcpy(x, X->data + row * X->row_stride, row_bytes);
            if (mean)
                for (ptrdiff_t j = 0; j < n_features; j++)
                    x[j] = (x[j] - mean[j]) / scale[j];
            if (noise)
                NAME(add_multiple)(noise + i * n_features, x, (REAL)plan->noise, n_features);
        }
        plan->batch_X = room;
    } else
        plan->batch_X = X->data + first * X->row_stride;
    for (ptrdiff_t i = 0; i < n; i++) {
        ptrdiff_t row = plan->order ? plan->order[first + i] : first + i;
        const char *y = Y->data + row * Y->row_stride;
        if (plan->sample_weight)
            ((REAL *)plan->batch_weight)[i] = ((const REAL *)plan->sample_weight)[row];
        for (ptrdiff_t k = 0; k < n_outputs; k++, y += Y->column_stride) {
            float single;
            double twice;
            if (Y->type == 'f') {
                memcpy(&single, y, sizeof single);
                targets[k * n + i] = (REAL)single;
            } else if (Y->type == 'd') {
                memcpy(&twice, y, sizeof twice);
                targets[k * n + i] = (REAL)twice;
            } else
                targets[k * n + i] = (REAL) * (const unsigned char *)y;
        }
    }
}

/* Leave the gradient of the loss on the batch that is in place, and return the loss; see `Objective`. */
static double NAME(objective)(Plan *plan, ptrdiff_t n)
{
    Layer *last = plan->layers + plan->n_layers - 1;
    const REAL *restrict weight = plan->sample_weight ? plan->batch_weight : NULL;
    REAL *restrict delta = last->delta, *values = plan->values;
    double scale = plan->scale;
    if (isnan(scale)) {
        double total = weight && plan->own_weight ? (double)NAME(sum)(weight, n) : 0.0;
        scale = 1.0 / (total != 0.0 ? total : (double)n);
    }
    NAME(forward_pass)(plan, n);
    NAME(loss_gradient)(plan->loss, plan->loss_setting, plan->batch_Y, last->output, values, delta, plan->scratch, n,
                        last->fan_out);
    const REAL factor = (REAL)scale;
    if (weight)
        for (ptrdiff_t k = 0; k < last->fan_out; k++)
            for (ptrdiff_t i = 0; i < n; i++)
                delta[k * n + i] = delta[k * n + i] * factor * weight[i];
    else
        for (ptrdiff_t i = 0; i < n * last->fan_out; i++)
            delta[i] *= factor;
    NAME(backward_pass)(plan, n);
    double penalty = 0.0;
    for (ptrdiff_t l = 0; l < plan->n_layers; l++) {
        Layer *layer = plan->layers + l;
        const ptrdiff_t size = layer->fan_in * layer->fan_out;
        if (layer->penalty == 0.0)
            continue;
        NAME(add_multiple)(layer->coef, layer->coef_gradient, (REAL)(layer->penalty * scale), size);
        if (plan->with_loss)
            penalty += 0.5 * layer->penalty * (double)NAME(dot)(layer->coef, layer->coef, size);
    }
    if (!plan->with_loss)
        return NAN;
    return scale * ((double)(weight ? NAME(dot)(values, weight, n) : NAME(sum)(values, n)) + penalty);
}

/* Project the gradient on that of tied weights; see `tie`. */
static void NAME(tie)(Plan *plan)
{
    for (ptrdiff_t l = 0; l < plan->n_layers / 2; l++) {
        const ptrdiff_t k = plan->layers[l].fan_in, m = plan->layers[l].fan_out;
        REAL *encoder = plan->layers[l].coef_gradient, *decoder = plan->layers[plan->n_layers - 1 - l].coef_gradient;
        for (ptrdiff_t i = 0; i < k; i++)
            for (ptrdiff_t j = 0; j < m; j++)
                encoder[i * m + j] = decoder[j * k + i] = R(0.5) * (encoder[i * m + j] + decoder[j * k + i]);
    }
}

/* Change the parameters by the gradient; see `StepRule.take`. */
static void NAME(step)(Plan *plan, Call *call, double rate, double loss)
{
    const ptrdiff_t n_parameters = plan->n_parameters;
    REAL *restrict gradient = plan->gradient, *theta = plan->theta, *restrict mean = plan->mean;
    if (plan->clip_norm < INFINITY) {
        double norm = sqrt((double)NAME(dot)(gradient, gradient, n_parameters));
        if (norm > plan->clip_norm) {
            const REAL factor = (REAL)(plan->clip_norm / norm);
            for (ptrdiff_t i = 0; i < n_parameters; i++)
                gradient[i] *= factor;
        }
    }
    const int loss_grew = loss > call->counter;
    call->counter = plan->optimizer == RPROP ? loss : call->counter + 1;
    const REAL shrink = (REAL)(1.0 - rate * plan->weight_decay), share = (REAL)(6.0 / (double)(call->steps + 1 + 5));
    for (ptrdiff_t start = 0; start < n_parameters; start += BLOCK) {
        const ptrdiff_t end = start + BLOCK < n_parameters ? start + BLOCK : n_parameters;
        if (plan->optimizer == SGD)
            NAME(sgd)(plan, rate, start, end - start);
        else if (plan->optimizer == ADAM)
            NAME(adam)(plan, rate, call->counter, start, end - start);
        else
            NAME(rprop)(plan, loss_grew, start, end - start);
        if (plan->weight_decay != 0.0)
            for (ptrdiff_t i = start; i < end && i < plan->n_weights; i++)
                theta[i] *= shrink;
        if (mean)
            for (ptrdiff_t i = start; i < end; i++)
                mean[i] += share * (theta[i] - mean[i]);
    }
}

/* Train on rows `call->row` to `call->stop`, a batch a step; see `gradient_descent`. */
static void NAME(run)(Plan *plan, Call *call)
{
    const ptrdiff_t first_row = call->row, n_samples = plan->n_samples;
    const REAL *noise = call->noise;
    const double begin = seconds_now();
    double work = 0.0;
    ptrdiff_t number = 0;
    while (call->row < call->stop) {
        const ptrdiff_t first = call->row % n_samples, left = n_samples - first;
        const ptrdiff_t n = left < plan->batch_size ? left : plan->batch_size;
        if (!plan->gathered)
            NAME(gather)(plan, first, n, noise ? noise + (call->row - first_row) * plan->layers[0].fan_in : NULL);
        plan->gathered = plan->gathered || (n == n_samples && !plan->order && !noise);
        const double rate = call->rates[call->n_rates == 1 ? 0 : number];
        const double loss = NAME(objective)(plan, n);
        if (plan->tied)
            NAME(tie)(plan);
        NAME(step)(plan, call, rate, loss);
        call->total += loss * (double)n;
        call->row += n;
        call->steps++;
        number++;
        work += (double)n * (double)plan->n_parameters;
        if (work > WORK_A_LOOK) {
            work = 0.0;
            if (seconds_now() - begin >= call->seconds)
                return;
        } else if (call->seconds <= 0)
            return;
    }
}

/* Return whether all values are finite: a product with zero is zero, or NaN. */
static int NAME(all_finite)(const REAL *restrict A, ptrdiff_t size)
{
    REAL sum = 0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < size; i++)
        sum += A[i] * R(0.0);
    return sum == R(0.0);
}

/* Return whether no value is larger in size, nor NaN. */
static int NAME(all_within)(const void *values, ptrdiff_t size, double bound)
{
    const REAL *A = values;
    ptrdiff_t n_within = 0;
    for (ptrdiff_t i = 0; i < size; i++)
        n_within += ABSOLUTE(A[i]) <= bound;
    return n_within == size;
}

/* Predictions for some rows from weights alone, in C order; `room` holds the widest layer three times, and `products` is
   that of products, or NULL. Return whether inputs and raw scores are finite. */
static int NAME(predict)(const Layer *layers, ptrdiff_t n_layers, const Blas *blas, int link, const void *X,
                         ptrdiff_t n_rows, void *room, void *products, void *out)
{
    const ptrdiff_t n_outputs = layers[n_layers - 1].fan_out, size = n_rows * n_outputs;
    ptrdiff_t widest = 0;
    for (ptrdiff_t l = 0; l < n_layers; l++)
        widest = layers[l].fan_out > widest ? layers[l].fan_out : widest;
    REAL *cache = room, *outputs[2] = {cache + n_rows * widest, cache + 2 * n_rows * widest};
    const REAL *A = X;
    if (!NAME(all_finite)(X, n_rows * layers[0].fan_in))
        return 0;
    for (ptrdiff_t l = 0; l < n_layers - 1; l++) {
        NAME(affine)(layers + l, blas, A, outputs[l % 2], n_rows, 0, products);
        NAME(activate)(layers[l].activation, outputs[l % 2], cache, n_rows * layers[l].fan_out);
        A = outputs[l % 2];
    }
    REAL *Z = link == TWO_CLASSES ? cache : out;
    NAME(affine)(layers + n_layers - 1, blas, A, Z, n_rows, 0, products);
    if (!NAME(all_finite)(Z, size))
        return 0;
    if (link == LABELS)
        NAME(activate)(LOGISTIC, Z, NULL, size);
    else if (link == TWO_CLASSES) {
        REAL *pairs = out;
        for (ptrdiff_t i = 0; i < n_rows; i++) {
            pairs[2 * i] = -Z[i];
            pairs[2 * i + 1] = Z[i];
        }
        NAME(activate)(LOGISTIC, pairs, NULL, 2 * n_rows);
    } else if (link == CLASSES) {
        for (ptrdiff_t i = 0; i < n_rows; i++) {
            REAL *z = Z + i * n_outputs, largest = z[0];
            for (ptrdiff_t k = 1; k < n_outputs; k++)
                largest = largest > z[k] ? largest : z[k];
            for (ptrdiff_t k = 0; k < n_outputs; k++)
                z[k] -= largest;
        }
        NAME(function)(EXP, Z, size);
        for (ptrdiff_t i = 0; i < n_rows; i++) {
            REAL *z = Z + i * n_outputs, total = NAME(sum)(z, n_outputs);
            for (ptrdiff_t k = 0; k < n_outputs; k++)
                z[k] /= total;
        }
    }
    return 1;
}

#undef BLOCK
#undef WORK_A_LOOK
