/* Activations, losses and optimizers: each formula as the Python class of the same name has it. */

/* Overwrite raw scores with activations; see `Activation.forward`. */
static void NAME(activate)(int activation, void *restrict activations, void *restrict room, ptrdiff_t size)
{
    REAL *restrict A = activations, *restrict cache = room;
    switch (activation) {
    case LOGISTIC:
        for (ptrdiff_t i = 0; i < size; i++) A[i] = NAME(sigmoid)(A[i]);
        break;
    case TANH:
        for (ptrdiff_t i = 0; i < size; i++) A[i] = NAME(tanh)(A[i]);
        break;
    case RELU:
        for (ptrdiff_t i = 0; i < size; i++) A[i] = A[i] < R(0.0) ? R(0.0) : A[i];
        break;
    case SILU:
        for (ptrdiff_t i = 0; i < size; i++) {
            cache[i] = NAME(sigmoid)(A[i]);
            A[i] *= cache[i];
        }
        break;
    case GELU:
        for (ptrdiff_t i = 0; i < size; i++) {
            cache[i] = A[i];
            A[i] *= NAME(normal_distribution)(A[i]);
        }
        break;
    case ELU:
        for (ptrdiff_t i = 0; i < size; i++) {
            cache[i] = NAME(expm1)(A[i] > R(0.0) ? R(0.0) : A[i]);
            A[i] = A[i] > cache[i] ? A[i] : cache[i];
        }
        break;
    }
}

/* Multiply an error by the derivative of the activations; see `Activation.backward`. */
static void NAME(derive)(int activation, void *restrict activations, void *restrict room, void *restrict error,
                         ptrdiff_t size)
{
    REAL *restrict A = activations, *restrict cache = room, *restrict delta = error;
    switch (activation) {
    case LOGISTIC:
        for (ptrdiff_t i = 0; i < size; i++) delta[i] *= A[i] * (R(1.0) - A[i]);
        break;
    case TANH:
        for (ptrdiff_t i = 0; i < size; i++) delta[i] *= R(1.0) - A[i] * A[i];
        break;
    case RELU:
        for (ptrdiff_t i = 0; i < size; i++) delta[i] *= A[i] > R(0.0) ? R(1.0) : R(0.0);
        break;
    case SILU:
        for (ptrdiff_t i = 0; i < size; i++) delta[i] *= R(1.0) - (R(1.0) - cache[i]) * (R(1.0) - A[i]);
        break;
    case GELU:
        for (ptrdiff_t i = 0; i < size; i++) {
            REAL z = cache[i], density = R(0.3989422804014327) * NAME(exp)(R(-0.5) * z * z);
            delta[i] *= NAME(normal_distribution)(z) + z * density;
        }
        break;
    case ELU:
        for (ptrdiff_t i = 0; i < size; i++) delta[i] *= cache[i] + R(1.0);
        break;
    }
}

/* Sums over the outputs of each sample, in Fortran order; of one output there is nothing to sum. */
static void NAME(sum_outputs)(const REAL *restrict A, REAL *restrict values, ptrdiff_t n_rows, ptrdiff_t n_outputs)
{
    memcpy(values, A, n_rows * sizeof(REAL));
    for (ptrdiff_t k = 1; k < n_outputs; k++)
        NAME(add_multiple)(A + k * n_rows, values, R(1.0), n_rows);
}

/* A probability of which there is a logarithm, as of its complement. */
static inline REAL NAME(kept_from_bounds)(REAL probability)
{
    const REAL least = DOUBLE ? (REAL)DBL_EPSILON : (REAL)FLT_EPSILON, most = R(1.0) - least;
    return probability < least ? least : probability > most ? most : probability;
}

static void NAME(categorical_log_loss)(const REAL *restrict Y, REAL *restrict Z, REAL *restrict values,
                                       REAL *restrict gradient, REAL *restrict scratch, ptrdiff_t n_rows,
                                       ptrdiff_t n_outputs, int rounded)
{
    ptrdiff_t size = n_rows * n_outputs;
    memcpy(values, Z, n_rows * sizeof(REAL));
    for (ptrdiff_t k = 1; k < n_outputs; k++)
        for (ptrdiff_t i = 0; i < n_rows; i++)
            /* The larger of the two, or NaN. */
            values[i] = values[i] >= Z[k * n_rows + i] ? values[i] : Z[k * n_rows + i];
    for (ptrdiff_t k = 0; k < n_outputs; k++)
        for (ptrdiff_t i = 0; i < n_rows; i++)
            Z[k * n_rows + i] -= values[i];
    for (ptrdiff_t i = 0; i < size; i++) {
        scratch[i] = Y[i] * Z[i];
        gradient[i] = NAME(exp)(Z[i]);
    }
    NAME(sum_outputs)(scratch, values, n_rows, n_outputs);
    /* The raw scores are no longer needed: their memory takes the sums. */
    REAL *restrict total = Z;
    NAME(sum_outputs)(gradient, total, n_rows, n_outputs);
    for (ptrdiff_t k = 0; k < n_outputs; k++)
        for (ptrdiff_t i = 0; i < n_rows; i++)
            gradient[k * n_rows + i] /= total[i];
    if (rounded) {
        for (ptrdiff_t i = 0; i < size; i++)
            /* Of the classes that are not the sample's there is nothing to add. */
            scratch[i] = Y[i] != R(0.0) ? -Y[i] * LOGARITHM(NAME(kept_from_bounds)(gradient[i])) : R(0.0);
        NAME(sum_outputs)(scratch, values, n_rows, n_outputs);
    }
    for (ptrdiff_t i = 0; i < size; i++)
        gradient[i] -= Y[i];
    if (rounded)
        return;
    for (ptrdiff_t i = 0; i < n_rows; i++)
        values[i] = LOGARITHM(total[i]) - values[i];
}

/* Write each sample's loss and its gradient; see `Loss.loss_gradient`. All arrays are in Fortran order. */
static void NAME(loss_gradient)(int loss, double setting, const void *restrict targets, void *restrict scores,
                                void *restrict losses, void *restrict slope, void *restrict room, ptrdiff_t n_rows,
                                ptrdiff_t n_outputs)
{
    const REAL *restrict Y = targets;
    REAL *restrict Z = scores, *restrict values = losses, *restrict gradient = slope, *restrict scratch = room;
    const ptrdiff_t size = n_rows * n_outputs;
    const REAL bend = (REAL)setting, quantile = (REAL)setting, complement = (REAL)(1 - setting);
    switch (loss) {
    case BINARY_LOG_LOSS:
        for (ptrdiff_t i = 0; i < size; i++) {
            scratch[i] = NAME(softplus)(Z[i]) - Y[i] * Z[i];
            gradient[i] = NAME(sigmoid)(Z[i]) - Y[i];
        }
        break;
    case SIGMOID_SQUARED_ERROR:
        for (ptrdiff_t i = 0; i < size; i++) {
            REAL a = NAME(sigmoid)(Z[i]), error = a - Y[i];
            scratch[i] = R(0.5) * error * error;
            gradient[i] = error * a * (R(1.0) - a);
        }
        break;
    case CATEGORICAL_LOG_LOSS:
    case ROUNDED_CATEGORICAL_LOG_LOSS:
        NAME(categorical_log_loss)(Y, Z, values, gradient, scratch, n_rows, n_outputs, loss != CATEGORICAL_LOG_LOSS);
        return;
    case ROUNDED_BINARY_LOG_LOSS:
        for (ptrdiff_t i = 0; i < size; i++) {
            REAL a = NAME(sigmoid)(Z[i]);
            gradient[i] = a - Y[i];
            scratch[i] = -LOGARITHM(ABSOLUTE(NAME(kept_from_bounds)(a) - (R(1.0) - Y[i])));
        }
        break;
    case SQUARED_ERROR:
    case MEAN_SQUARED_ERROR:
        for (ptrdiff_t i = 0; i < size; i++) {
            gradient[i] = Z[i] - Y[i];
            scratch[i] = R(0.5) * gradient[i] * gradient[i];
        }
        break;
    case QUANTILE:
        for (ptrdiff_t i = 0; i < size; i++) {
            REAL error = Z[i] - Y[i];
            scratch[i] = error * (error < R(0.0) ? -quantile : complement);
            gradient[i] = (error > R(0.0) ? R(1.0) : R(0.0)) - quantile;
        }
        break;
    case ABSOLUTE_ERROR:
        for (ptrdiff_t i = 0; i < size; i++) {
            REAL error = Z[i] - Y[i];
            scratch[i] = ABSOLUTE(error);
            gradient[i] = error > R(0.0) ? R(1.0) : error < R(0.0) ? R(-1.0) : error;
        }
        break;
    case HUBER_LOSS:
        for (ptrdiff_t i = 0; i < size; i++) {
            REAL error = Z[i] - Y[i];
            gradient[i] = error > bend ? bend : error < -bend ? -bend : error;
            scratch[i] = (R(-0.5) * gradient[i] + error) * gradient[i];
        }
        break;
    case POISSON_DEVIANCE:
        for (ptrdiff_t i = 0; i < size; i++) {
            gradient[i] = NAME(exp)(Z[i]) - Y[i];
            scratch[i] = ((Y[i] > R(0.0) ? Y[i] * LOGARITHM(Y[i]) : R(0.0)) - Y[i] * Z[i]) + gradient[i];
        }
        break;
    case GAMMA_DEVIANCE:
        for (ptrdiff_t i = 0; i < size; i++) {
            gradient[i] = R(1.0) - Y[i] * NAME(exp)(-Z[i]);
            scratch[i] = Z[i] - gradient[i] - LOGARITHM(Y[i]);
        }
        break;
    }
    NAME(sum_outputs)(scratch, values, n_rows, n_outputs);
    for (ptrdiff_t i = 0; loss == MEAN_SQUARED_ERROR && i < n_rows; i++)
        values[i] /= (REAL)n_outputs;
}

/* Take one step with the parameters from `start` on; see `SGD.update`. */
static void NAME(sgd)(const Plan *plan, double rate, ptrdiff_t start, ptrdiff_t size)
{
    REAL *restrict theta = (REAL *)plan->theta + start;
    const REAL *restrict gradient = (const REAL *)plan->gradient + start;
    const REAL momentum = (REAL)plan->optimizer_settings[0], step = (REAL)rate;
    if (!plan->memory[0]) {
        NAME(add_multiple)(gradient, theta, -step, size);
        return;
    }
    REAL *restrict velocity = (REAL *)plan->memory[0] + start;
    if (plan->optimizer_settings[1] != 0)
        for (ptrdiff_t i = 0; i < size; i++) {
            velocity[i] = momentum * velocity[i] - step * gradient[i];
            theta[i] += momentum * velocity[i] - step * gradient[i];
        }
    else
        for (ptrdiff_t i = 0; i < size; i++) {
            velocity[i] = momentum * velocity[i] - step * gradient[i];
            theta[i] += velocity[i];
        }
}

/* The same of `Adam.update`, whose moments are sums; `steps` counts this one. */
static void NAME(adam)(const Plan *plan, double rate, double steps, ptrdiff_t start, ptrdiff_t size)
{
    REAL *restrict theta = (REAL *)plan->theta + start;
    REAL *restrict first = (REAL *)plan->memory[0] + start, *restrict second = (REAL *)plan->memory[1] + start;
    const REAL *restrict gradient = (const REAL *)plan->gradient + start;
    const double beta_1 = plan->optimizer_settings[0], beta_2 = plan->optimizer_settings[1];
    const double scale = sqrt(1 - beta_2);
    rate *= sqrt(1 - pow(beta_2, steps)) / (1 - pow(beta_1, steps));
    const REAL decay_1 = (REAL)beta_1, decay_2 = (REAL)beta_2, epsilon = (REAL)(plan->optimizer_settings[2] / scale);
    const REAL factor = (REAL)(-rate * (1 - beta_1) / scale);
    for (ptrdiff_t i = 0; i < size; i++) {
        first[i] = decay_1 * first[i] + gradient[i];
        second[i] = decay_2 * second[i] + gradient[i] * gradient[i];
        theta[i] += factor * (first[i] / (SQUARE_ROOT(second[i]) + epsilon));
    }
}

/* The same of `Rprop.update`. */
static void NAME(rprop)(const Plan *plan, int loss_grew, ptrdiff_t start, ptrdiff_t size)
{
    const REAL increase = (REAL)plan->optimizer_settings[0], decrease = (REAL)plan->optimizer_settings[1];
    const REAL smallest = (REAL)plan->optimizer_settings[2], largest = (REAL)plan->optimizer_settings[3];
    REAL *restrict theta = (REAL *)plan->theta + start, *restrict step = (REAL *)plan->memory[0] + start;
    REAL *restrict last = (REAL *)plan->memory[1] + start, *restrict change = (REAL *)plan->memory[2] + start;
    const REAL *restrict gradient = (const REAL *)plan->gradient + start;
    for (ptrdiff_t i = 0; i < size; i++) {
        REAL slope = gradient[i], agreement = slope * last[i];
        int turned = agreement < R(0.0);
        REAL size_now = step[i] * (turned ? decrease : agreement > R(0.0) ? increase : R(1.0));
        size_now = size_now < smallest ? smallest : size_now;
        step[i] = size_now > largest ? largest : size_now;
        /* Minus the sign of the slope, which may be NaN, times the step size. */
        REAL onwards = slope > R(0.0) ? -step[i] : slope < R(0.0) ? step[i] : -slope;
        REAL retreat = loss_grew ? -change[i] : R(0.0);
        change[i] = turned ? retreat : onwards;
        theta[i] += change[i];
        last[i] = turned ? R(0.0) : slope;
    }
}
