/* The module `_compiled`: checks what it is given, holds on to it, and calls the kernels without the global lock. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "plan.h"

static Blas blas[2];
static const Kernels *kernels = kernels_baseline;
static PyObject *ndarray_type, *empty, *dtypes[2];

static const struct {
    const char *name;
    const Kernels *kernels;
} TARGETS[] = {{"avx512", kernels_avx512}, {"avx2", kernels_avx2}, {"baseline", kernels_baseline}};
#define N_TARGETS ((int)(sizeof TARGETS / sizeof *TARGETS))

static int runs_here(int target)
{
    if (!TARGETS[target].kernels[0].run)
        return 0;
#if defined(__GNUC__) && defined(__x86_64__)
    __builtin_cpu_init();
    if (TARGETS[target].kernels == kernels_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    if (TARGETS[target].kernels == kernels_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return TARGETS[target].kernels == kernels_baseline;
}

/* 0 for float32, 1 for float64, -1 for anything else. */
static int type_of(const Py_buffer *view)
{
    if (view->format && !strcmp(view->format, "f"))
        return 0;
    if (view->format && !strcmp(view->format, "d"))
        return 1;
    return -1;
}

static int needs_cache(int activation)
{
    return activation == SILU || activation == GELU || activation == ELU;
}

/* Views on arrays, held as long as what uses them. */
#define MOST_VIEWS 16
typedef struct {
    Py_buffer views[MOST_VIEWS];
    int n_views;
} Held;

static void release(Held *held)
{
    while (held->n_views)
        PyBuffer_Release(&held->views[--held->n_views]);
}

/* Hold a view of an array of so many values in C order, of a type (or any, if it is -1); NULL with an exception if it is
   another, or without one if the array is None. `what` names it. */
static void *hold(Held *held, PyObject *array, int type, Py_ssize_t size, int writable, const char *what)
{
    if (array == Py_None)
        return NULL;
    if (held->n_views == MOST_VIEWS) {
        PyErr_SetString(PyExc_ValueError, "Got too many arrays.");
        return NULL;
    }
    Py_buffer *view = &held->views[held->n_views];
    if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)))
        return NULL;
    held->n_views++;
    if (type != type_of(view) || view->len != size * view->itemsize || (uintptr_t)view->buf % view->itemsize) {
        PyErr_Format(PyExc_ValueError, "Got %s of %zd bytes and format %s; it must hold %zd aligned values of format %s.",
                     what, view->len, view->format, size, type ? "d" : "f");
        return NULL;
    }
    return view->buf;
}

/* Hold a view of rows of numbers, of any strides. */
static int hold_rows(Held *held, PyObject *array, Py_ssize_t n_columns, Rows *rows, Py_ssize_t *n_rows, const char *what)
{
    Py_buffer *view = &held->views[held->n_views];
    if (PyObject_GetBuffer(array, view, PyBUF_STRIDED_RO | PyBUF_FORMAT))
        return -1;
    held->n_views++;
    if (view->ndim != 2 || view->shape[1] != n_columns || !view->format || !strchr("fdB?", view->format[0]) ||
        view->format[1]) {
        PyErr_Format(PyExc_ValueError, "Got %s that is not (n_samples, %zd) of float32, float64, uint8 or bool.", what,
                     n_columns);
        return -1;
    }
    *rows = (Rows){view->buf, view->strides[0], view->strides[1], view->format[0]};
    *n_rows = view->shape[0];
    return 0;
}

/* Read the numbers of a tuple of so many. */
static int numbers(PyObject *tuple, Py_ssize_t size, double *values, const char *what)
{
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) != size) {
        PyErr_Format(PyExc_ValueError, "Got %s that is no tuple of %zd numbers.", what, size);
        return -1;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        values[i] = PyFloat_AsDouble(PyTuple_GET_ITEM(tuple, i));
        if (values[i] == -1.0 && PyErr_Occurred())
            return -1;
    }
    return 0;
}

/* Trainer -------------------------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    Plan plan;
    Held held;
    PyObject *generator;
    char *room;
    int type, busy;
} Trainer;

static void Trainer_dealloc(Trainer *self)
{
    release(&self->held);
    Py_XDECREF(self->generator);
    PyMem_RawFree(self->room);
    PyMem_RawFree(self->plan.layers);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* Lay out the layers on theta and the gradient as `Network` does: all weights, then all biases. */
static int lay_out(Trainer *self, PyObject *sizes, PyObject *activations, PyObject *penalties, int fit_intercept)
{
    Plan *plan = &self->plan;
    const Py_ssize_t n_sizes = PyTuple_GET_SIZE(sizes);
    double *values = PyMem_RawCalloc(3 * n_sizes + 3, sizeof(double));
    int failed = 0;
    plan->n_layers = n_sizes - 1;
    plan->layers = PyMem_RawCalloc(n_sizes, sizeof(Layer));
    if (!values || !plan->layers) {
        PyErr_NoMemory();
        failed = 1;
    } else
        failed = n_sizes < 2 || numbers(sizes, n_sizes, values, "sizes") ||
                 numbers(activations, n_sizes - 2, values + n_sizes, "activations") ||
                 numbers(penalties, n_sizes - 1, values + 2 * n_sizes, "penalties");
    for (Py_ssize_t l = 0; !failed && l < plan->n_layers; l++) {
        Layer *layer = plan->layers + l;
        failed = !(values[l] >= 1 && values[l] <= INT_MAX && values[l + 1] >= 1 && values[l + 1] <= INT_MAX);
        if (failed)
            break;
        layer->fan_in = (ptrdiff_t)values[l];
        layer->fan_out = (ptrdiff_t)values[l + 1];
        layer->activation = l < plan->n_layers - 1 ? (int)values[n_sizes + l] : IDENTITY;
        layer->penalty = values[2 * n_sizes + l];
        failed = layer->activation < 0 || layer->activation >= N_ACTIVATIONS;
        plan->n_weights += layer->fan_in * layer->fan_out;
        plan->n_parameters += layer->fan_out;
    }
    PyMem_RawFree(values);
    plan->n_parameters = plan->n_weights + (fit_intercept ? plan->n_parameters : 0);
    if (failed && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "Got sizes, activations or penalties that make no network.");
    return failed ? -1 : 0;
}

static void place_layers(Trainer *self, int fit_intercept)
{
    Plan *plan = &self->plan;
    const size_t itemsize = self->type ? sizeof(double) : sizeof(float);
    char *theta = plan->theta, *gradient = plan->gradient;
    size_t weight = 0, bias = plan->n_weights * itemsize;
    for (ptrdiff_t l = 0; l < plan->n_layers; l++) {
        Layer *layer = plan->layers + l;
        layer->coef = theta + weight;
        layer->coef_gradient = gradient + weight;
        weight += layer->fan_in * layer->fan_out * itemsize;
        if (fit_intercept) {
            layer->intercept = theta + bias;
            layer->intercept_gradient = gradient + bias;
            bias += layer->fan_out * itemsize;
        }
    }
}

/* Give out room, 64 bytes aligned; first with no base, to count. */
static void *portion(char **next, size_t bytes)
{
    char *start = *next;
    *next += (bytes + 63) / 64 * 64;
    return start;
}

static char *give_room(Trainer *self, char *next, int gathers_X)
{
    Plan *plan = &self->plan;
    const size_t itemsize = self->type ? sizeof(double) : sizeof(float), column = plan->batch_size * itemsize;
    for (ptrdiff_t l = 0; l < plan->n_layers; l++) {
        Layer *layer = plan->layers + l;
        const size_t bytes = column * layer->fan_out;
        const int hidden = l < plan->n_layers - 1;
        layer->output = portion(&next, bytes);
        layer->delta = portion(&next, bytes);
        layer->cache = hidden && needs_cache(layer->activation) ? portion(&next, bytes) : NULL;
        layer->mask = hidden && plan->random ? portion(&next, bytes) : NULL;
        layer->dropped = layer->mask ? portion(&next, bytes) : NULL;
    }
    const size_t outputs = column * plan->layers[plan->n_layers - 1].fan_out;
    plan->batch_Y = portion(&next, outputs);
    plan->scratch = portion(&next, outputs);
    plan->values = portion(&next, column);
    plan->batch_weight = plan->sample_weight ? portion(&next, column) : NULL;
    plan->X_room = gathers_X ? portion(&next, column * plan->layers[0].fan_in) : NULL;
    plan->room = NULL;
    if (plan->own_products) {
        /* For two matrices of a product and a row, none of which is narrower than a vector. */
        size_t most = 0;
        for (ptrdiff_t l = 0; l < plan->n_layers; l++) {
            const size_t k = plan->layers[l].fan_in + 16, m = plan->layers[l].fan_out + 16, wider = k > m ? k : m;
            const size_t values = k * m + (plan->batch_size + 1) * wider;
            most = values > most ? values : most;
        }
        plan->room = portion(&next, most * itemsize);
    }
    return next;
}

static int Trainer_set_up(Trainer *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"theta", "gradient", "sizes", "activations", "penalties", "fit_intercept", "loss",
                            "loss_setting", "optimizer", "optimizer_settings", "memory", "X", "Y", "sample_weight", "order",
                            "mean_of_X", "scale_of_X", "batch_size", "scale", "own_weight", "with_loss", "clip_norm",
                            "weight_decay", "tied", "mean", "dropout", "generator", "noise", "own_products", NULL};
    Plan *plan = &self->plan;
    PyObject *theta, *gradient, *sizes, *activations, *penalties, *settings, *memory, *X, *Y, *weight, *order, *mean_of_X;
    PyObject *scale_of_X, *mean, *generator;
    int fit_intercept;
    double dropout;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOO!OOpidiOO!OOOOOOndppddpOdOdp", names, &theta, &gradient,
                                     &PyTuple_Type, &sizes, &activations, &penalties, &fit_intercept, &plan->loss,
                                     &plan->loss_setting, &plan->optimizer, &settings, &PyTuple_Type, &memory, &X, &Y,
                                     &weight, &order, &mean_of_X, &scale_of_X, &plan->batch_size, &plan->scale,
                                     &plan->own_weight, &plan->with_loss, &plan->clip_norm, &plan->weight_decay,
                                     &plan->tied, &mean, &dropout, &generator, &plan->noise, &plan->own_products))
        return -1;
    if (lay_out(self, sizes, activations, penalties, fit_intercept))
        return -1;
    if (PyTuple_Check(settings) && numbers(settings, PyTuple_GET_SIZE(settings) > 5 ? 5 : PyTuple_GET_SIZE(settings),
                                           plan->optimizer_settings, "optimizer_settings"))
        return -1;
    const Py_ssize_t size = plan->n_parameters;
    const Py_ssize_t n_memory = PyTuple_GET_SIZE(memory);
    const Py_ssize_t expected = plan->optimizer == ADAM ? 2 : plan->optimizer == RPROP ? 3 : n_memory != 0;
    if (plan->loss < 0 || plan->loss >= N_LOSSES || plan->optimizer < 0 || plan->optimizer >= N_OPTIMIZERS ||
        n_memory != expected || !PyTuple_Check(settings)) {
        PyErr_SetString(PyExc_ValueError, "Got a loss, an optimizer or its memory that is unknown.");
        return -1;
    }

    Py_ssize_t n_samples, n_targets;
    Held *held = &self->held;
    if (hold_rows(held, X, plan->layers[0].fan_in, &plan->X, &n_samples, "X") ||
        hold_rows(held, Y, plan->layers[plan->n_layers - 1].fan_out, &plan->Y, &n_targets, "Y"))
        return -1;
    self->type = plan->X.type == 'd';
    const int type = self->type;
    plan->theta = hold(held, theta, type, size, 1, "theta");
    plan->gradient = hold(held, gradient, type, size, 1, "gradient");
    plan->mean = hold(held, mean, type, size, 1, "mean");
    for (Py_ssize_t i = 0; i < n_memory; i++)
        if (!(plan->memory[i] = hold(held, PyTuple_GET_ITEM(memory, i), type, size, 1, "memory")) && !PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "Got memory with None in place of an array.");
    plan->sample_weight = hold(held, weight, type, n_samples, 0, "sample_weight");
    plan->mean_of_X = hold(held, mean_of_X, type, plan->layers[0].fan_in, 0, "mean_of_X");
    plan->scale_of_X = hold(held, scale_of_X, type, plan->layers[0].fan_in, 0, "scale_of_X");
    if (PyErr_Occurred())
        return -1;

    plan->n_samples = n_samples;
    if (order != Py_None) {
        Py_buffer *view = &held->views[held->n_views];
        if (PyObject_GetBuffer(order, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT))
            return -1;
        held->n_views++;
        plan->order = view->buf;
        plan->n_samples = view->len / (Py_ssize_t)sizeof(ptrdiff_t);
        int known = view->itemsize == sizeof(ptrdiff_t) && view->format && strchr("lqn", view->format[0]);
        for (ptrdiff_t i = 0; known && i < plan->n_samples; i++)
            known = plan->order[i] >= 0 && plan->order[i] < n_samples;
        if (!known) {
            PyErr_SetString(PyExc_ValueError, "Got an order that holds other numbers than those of rows.");
            return -1;
        }
    }
    const size_t itemsize = type ? sizeof(double) : sizeof(float);
    const int is_float = plan->X.type == 'f' || plan->X.type == 'd';
    if (!is_float || plan->X.column_stride != (ptrdiff_t)itemsize || n_targets != n_samples || plan->n_samples < 1 ||
        plan->batch_size < 1 || plan->batch_size > plan->n_samples || plan->batch_size > INT_MAX ||
        !plan->theta || !plan->gradient || !plan->mean_of_X != !plan->scale_of_X) {
        PyErr_SetString(PyExc_ValueError, "Got X, Y, order or batch_size that do not fit together.");
        return -1;
    }
    for (ptrdiff_t l = 0; plan->tied && l < plan->n_layers; l++)
        if (plan->layers[l].fan_in != plan->layers[plan->n_layers - 1 - l].fan_out) {
            PyErr_SetString(PyExc_ValueError, "Got layers that do not mirror each other, but are to be tied.");
            return -1;
        }
    plan->keep = 1.0 - dropout;
    if (generator != Py_None) {
        self->generator = Py_NewRef(generator);
        plan->random = PyCapsule_GetPointer(generator, "BitGenerator");
        if (!plan->random)
            return -1;
    } else if (plan->keep < 1) {
        PyErr_SetString(PyExc_ValueError, "Got dropout without a generator.");
        return -1;
    }
    plan->blas = &blas[type];
    place_layers(self, fit_intercept);
    const int in_place = !plan->order && !plan->mean_of_X && plan->noise == 0 &&
                         plan->X.row_stride == plan->layers[0].fan_in * (ptrdiff_t)itemsize &&
                         (uintptr_t)plan->X.data % itemsize == 0;
    const size_t bytes = (size_t)give_room(self, NULL, !in_place);
    self->room = PyMem_RawMalloc(bytes + 64);
    if (!self->room) {
        PyErr_NoMemory();
        return -1;
    }
    give_room(self, self->room + (64 - (uintptr_t)self->room % 64), !in_place);
    return 0;
}

static PyObject *Trainer_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    Trainer *self = (Trainer *)type->tp_alloc(type, 0);
    if (self && Trainer_set_up(self, args, keywords)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* Steps from the first row to this one. */
static ptrdiff_t steps_until(const Plan *plan, ptrdiff_t row)
{
    const ptrdiff_t n_samples = plan->n_samples, size = plan->batch_size;
    return row / n_samples * ((n_samples + size - 1) / size) + (row % n_samples + size - 1) / size;
}

PyDoc_STRVAR(run_doc, "run(row, stop, steps, rates, counter, seconds, noise)\n--\n\n"
                      "Train on the rows from `row` to `stop`, or until the time is up; return the row, the number of "
                      "steps, the counter and the sum of the losses.\n\n`rates` holds a learning rate for each step, or one for all.");

static PyObject *Trainer_run(Trainer *self, PyObject *const *args, Py_ssize_t n_args)
{
    Plan *plan = &self->plan;
    Call call = {0};
    double rate;
    Py_buffer rates = {0}, noise = {0};
    if (n_args != 7) {
        PyErr_SetString(PyExc_TypeError, "run takes 7 arguments.");
        return NULL;
    }
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "Got a second run in another thread: a trainer trains for one at a time.");
        return NULL;
    }
    call.row = PyLong_AsSsize_t(args[0]);
    call.stop = PyLong_AsSsize_t(args[1]);
    call.steps = PyLong_AsSsize_t(args[2]);
    const ptrdiff_t first_step = call.steps;
    call.counter = PyFloat_AsDouble(args[4]);
    call.seconds = PyFloat_AsDouble(args[5]);
    if (PyErr_Occurred())
        return NULL;
    if (PyFloat_Check(args[3])) {
        rate = PyFloat_AS_DOUBLE(args[3]);
        call.rates = &rate;
        call.n_rates = 1;
    } else {
        if (PyObject_GetBuffer(args[3], &rates, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT))
            return NULL;
        call.rates = rates.buf;
        call.n_rates = type_of(&rates) == 1 ? rates.len / (Py_ssize_t)sizeof(double) : 0;
    }
    if (args[6] != Py_None) {
        if (PyObject_GetBuffer(args[6], &noise, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT))
            goto done;
        call.noise = noise.buf;
    }
    const ptrdiff_t rows = call.stop - call.row, steps = steps_until(plan, call.stop) - steps_until(plan, call.row);
    if (call.row < 0 || rows < 0 || call.n_rates < 1 || (call.n_rates > 1 && call.n_rates < steps) ||
        (call.noise && (type_of(&noise) != self->type || noise.len / noise.itemsize < rows * plan->layers[0].fan_in)) ||
        (plan->noise != 0 && !call.noise)) {
        PyErr_SetString(PyExc_ValueError, "Got rows, rates or noise that do not fit together.");
        goto done;
    }
    self->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    kernels[self->type].run(plan, &call);
    Py_END_ALLOW_THREADS
    self->busy = 0;
done:
    if (rates.obj)
        PyBuffer_Release(&rates);
    if (noise.obj)
        PyBuffer_Release(&noise);
    return PyErr_Occurred() ? NULL : Py_BuildValue("nndd", call.row, call.steps - first_step, call.counter, call.total);
}

static PyMethodDef Trainer_methods[] = {
    {"run", (PyCFunction)(void (*)(void))Trainer_run, METH_FASTCALL, run_doc},
    {NULL},
};
static PyType_Slot Trainer_slots[] = {
    {Py_tp_new, Trainer_new},
    {Py_tp_dealloc, Trainer_dealloc},
    {Py_tp_methods, Trainer_methods},
    {Py_tp_doc, "A network, its samples and its optimizer: all that an epoch needs, checked once."},
    {0, NULL},
};
static PyType_Spec Trainer_spec = {"skbackprop._engine._compiled.Trainer", sizeof(Trainer), 0, Py_TPFLAGS_DEFAULT,
                                   Trainer_slots};

/* Values of the widest vector. */
#define WIDEST_VECTOR 16

/* Predictor ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    PyObject *coefs, *intercepts; /* the lists, and tuples of what they held */
    PyObject *held_coefs, *held_intercepts;
    Held held;
    Layer *layers;
    ptrdiff_t n_layers, n_weights, widest, deepest, largest; /* most units, inputs of a narrow layer, weights */
    int type;
} Predictor;

static void Predictor_dealloc(Predictor *self)
{
    release(&self->held);
    Py_XDECREF(self->coefs);
    Py_XDECREF(self->intercepts);
    Py_XDECREF(self->held_coefs);
    Py_XDECREF(self->held_intercepts);
    PyMem_RawFree(self->layers);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

static int Predictor_set_up(Predictor *self, PyObject *args)
{
    PyObject *coefs, *intercepts, *activations;
    if (!PyArg_ParseTuple(args, "O!O!O!", &PyList_Type, &coefs, &PyList_Type, &intercepts, &PyTuple_Type, &activations))
        return -1;
    self->coefs = Py_NewRef(coefs);
    self->intercepts = Py_NewRef(intercepts);
    self->held_coefs = PyList_AsTuple(coefs);
    self->held_intercepts = PyList_AsTuple(intercepts);
    if (!self->held_coefs || !self->held_intercepts)
        return -1;
    const Py_ssize_t n_layers = self->n_layers = PyTuple_GET_SIZE(self->held_coefs);
    double codes[MOST_VIEWS / 2];
    if (n_layers < 1 || n_layers > MOST_VIEWS / 2 || PyTuple_GET_SIZE(self->held_intercepts) != n_layers) {
        PyErr_SetString(PyExc_ValueError, "Got layers of another number than this takes.");
        return -1;
    }
    if (numbers(activations, n_layers - 1, codes, "activations"))
        return -1;
    self->layers = PyMem_RawCalloc(n_layers, sizeof(Layer));
    if (!self->layers) {
        PyErr_NoMemory();
        return -1;
    }
    Held *held = &self->held;
    for (Py_ssize_t l = 0; l < n_layers; l++) {
        Layer *layer = self->layers + l;
        Py_buffer *view = &held->views[held->n_views];
        if (PyObject_GetBuffer(PyTuple_GET_ITEM(self->held_coefs, l), view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT))
            return -1;
        held->n_views++;
        if (l == 0)
            self->type = type_of(view);
        if (self->type < 0 || type_of(view) != self->type || view->ndim != 2 || view->shape[0] < 1 || view->shape[1] < 1 ||
            view->shape[0] > INT_MAX || view->shape[1] > INT_MAX || (uintptr_t)view->buf % view->itemsize ||
            (l && layer[-1].fan_out != view->shape[0])) {
            PyErr_SetString(PyExc_ValueError, "Got weights that are no matrices of one type that fit together.");
            return -1;
        }
        layer->fan_in = view->shape[0];
        layer->fan_out = view->shape[1];
        layer->coef = view->buf;
        layer->activation = l < n_layers - 1 ? (int)codes[l] : IDENTITY;
        if (layer->activation < 0 || layer->activation >= N_ACTIVATIONS) {
            PyErr_SetString(PyExc_ValueError, "Got an unknown activation.");
            return -1;
        }
        layer->intercept = hold(held, PyTuple_GET_ITEM(self->held_intercepts, l), self->type, layer->fan_out, 0, "intercepts");
        if (PyErr_Occurred())
            return -1;
        self->widest = layer->fan_out > self->widest ? layer->fan_out : self->widest;
        if (layer->fan_out < WIDEST_VECTOR && layer->fan_in > self->deepest)
            self->deepest = layer->fan_in;
        const ptrdiff_t size = layer->fan_in * layer->fan_out;
        self->largest = size > self->largest ? size : self->largest;
        self->n_weights += size;
    }
    return 0;
}

static PyObject *Predictor_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(keywords))
{
    Predictor *self = (Predictor *)type->tp_alloc(type, 0);
    if (self && Predictor_set_up(self, args)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* Whether a list is the one that was taken, and holds what it held. */
static int unchanged(PyObject *list, PyObject *taken, PyObject *held)
{
    if (list != taken || PyList_GET_SIZE(list) != PyTuple_GET_SIZE(held))
        return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(held); i++)
        if (PyList_GET_ITEM(list, i) != PyTuple_GET_ITEM(held, i))
            return 0;
    return 1;
}

PyDoc_STRVAR(predict_doc, "predict(coefs, intercepts, X, link)\n--\n\n"
                          "Return predictions, or None where this is no case for it: other weights than were taken, another "
                          "type, so many rows that they would take long, a value that is not finite.");

/* Values in the room of one prediction, up to which there is one. */
#define MOST_VALUES 65536
/* Multiplications of a product from which a BLAS may use several threads, which is for Python to forbid: OpenBLAS's number.
   A single row needs no BLAS. */
#define BLAS_SHARES_FROM 262144
/* With products of our own so many rows are predicted at a time, so that they stay in a core's cache; few are better taken
   one by one, unless the weights are many. */
#define ROWS_AT_A_TIME 64
#define ROWS_OF_A_TILE 8
/* Bytes of the largest weights up to which our products with vectors of 32 bytes take less time than those of a BLAS. */
#define OWN_BYTES 1048576
/* Bytes of the multiplications of a prediction, four or eight each, up to which it takes one thread: ten milliseconds. */
#define LONGEST 2500000000.0
/* Multiplications of a product that take longer than to release Python's lock and to have it back. */
#define WORTH_THE_LOCK 16384

/* Predict for all rows; return whether inputs and raw scores are finite, or -1 without memory. */
static int predict_blocks(const Predictor *self, int link, const char *X, ptrdiff_t n_rows, char *out, ptrdiff_t n_outputs,
                          int own_products)
{
    const size_t itemsize = self->type ? sizeof(double) : sizeof(float);
    const ptrdiff_t block = own_products && n_rows > ROWS_AT_A_TIME ? ROWS_AT_A_TIME : n_rows;
    /* The room of a product holds a narrow matrix, a row and the result, each as wide as a vector. */
    const size_t activations = 3 * block * self->widest;
    const size_t products = own_products && n_rows > 1 ? WIDEST_VECTOR * (self->deepest + 1 + block) : 0;
    char *room = PyMem_RawMalloc((activations + products) * itemsize);
    int done = room ? 1 : -1;
    for (ptrdiff_t row = 0; done == 1 && row < n_rows; row += block) {
        const ptrdiff_t n = n_rows - row < block ? n_rows - row : block;
        const int in_tiles = own_products && (n >= ROWS_OF_A_TILE || n >= BLAS_SHARES_FROM / self->largest);
        done = kernels[self->type].predict(self->layers, self->n_layers, &blas[self->type], link,
                                           X + row * self->layers[0].fan_in * itemsize, n, room,
                                           in_tiles ? room + activations * itemsize : NULL,
                                           out + row * n_outputs * itemsize);
    }
    PyMem_RawFree(room);
    return done;
}

static PyObject *Predictor_predict(Predictor *self, PyObject *const *args, Py_ssize_t n_args)
{
    const long link = n_args == 4 ? PyLong_AsLong(args[3]) : -1;
    if (PyErr_Occurred())
        return NULL;
    if (link < 0 || link >= N_LINKS || !PyList_Check(args[0]) || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_ValueError, "Got other arguments than two lists of arrays, X and the number of a link.");
        return NULL;
    }
    if ((PyObject *)Py_TYPE(args[2]) != ndarray_type || !unchanged(args[0], self->coefs, self->held_coefs) ||
        !unchanged(args[1], self->intercepts, self->held_intercepts))
        Py_RETURN_NONE;
    Py_buffer view, out;
    if (PyObject_GetBuffer(args[2], &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    PyObject *result = NULL, *shape = NULL;
    const ptrdiff_t n_rows = view.ndim == 2 ? view.shape[0] : 0;
    const int own_products = kernels == kernels_avx512 ||
                             (kernels == kernels_avx2 && self->largest * view.itemsize <= OWN_BYTES);
    const int few = n_rows <= MOST_VALUES / self->widest && (n_rows <= 1 || n_rows < BLAS_SHARES_FROM / self->largest);
    int done = 0;
    if (n_rows < 1 || view.shape[1] != self->layers[0].fan_in || type_of(&view) != self->type ||
        !(own_products ? (double)n_rows * self->n_weights * view.itemsize <= LONGEST : few) ||
        (link == TWO_CLASSES && self->layers[self->n_layers - 1].fan_out != 1) || (uintptr_t)view.buf % view.itemsize)
        goto end;
    const ptrdiff_t n_outputs = link == TWO_CLASSES ? 2 : self->layers[self->n_layers - 1].fan_out;
    shape = Py_BuildValue("(nn)", n_rows, n_outputs);
    result = shape ? PyObject_CallFunctionObjArgs(empty, shape, dtypes[self->type], NULL) : NULL;
    if (!result || PyObject_GetBuffer(result, &out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE))
        goto end;
    PyThreadState *others = n_rows >= WORTH_THE_LOCK / self->largest ? PyEval_SaveThread() : NULL;
    done = predict_blocks(self, (int)link, view.buf, n_rows, out.buf, n_outputs, own_products);
    if (others)
        PyEval_RestoreThread(others);
    if (done < 0)
        PyErr_NoMemory();
    PyBuffer_Release(&out);
end:
    Py_XDECREF(shape);
    PyBuffer_Release(&view);
    if (done == 1)
        return result;
    Py_XDECREF(result);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef Predictor_methods[] = {
    {"predict", (PyCFunction)(void (*)(void))Predictor_predict, METH_FASTCALL, predict_doc},
    {NULL},
};
static PyType_Slot Predictor_slots[] = {
    {Py_tp_new, Predictor_new},
    {Py_tp_dealloc, Predictor_dealloc},
    {Py_tp_methods, Predictor_methods},
    {Py_tp_doc, "The weights of a fitted network, checked once, for predictions."},
    {0, NULL},
};
static PyType_Spec Predictor_spec = {"skbackprop._engine._compiled.Predictor", sizeof(Predictor), 0,
                                     Py_TPFLAGS_DEFAULT, Predictor_slots};

/* The single formulas, which tests compare with NumPy's ---------------------------------------------------------------- */

/* Hold so many arrays of one type and one size. */
static Py_ssize_t same_size(Held *held, PyObject **arrays, int n_arrays, void **pointers, int *type)
{
    Py_buffer *view = held->views;
    if (PyObject_GetBuffer(arrays[0], view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE))
        return -1;
    held->n_views++;
    *type = type_of(view);
    const Py_ssize_t size = view->len / view->itemsize;
    pointers[0] = view->buf;
    if (*type < 0)
        PyErr_SetString(PyExc_ValueError, "Got an array that is neither float32 nor float64.");
    for (int i = 1; i < n_arrays && !PyErr_Occurred(); i++)
        pointers[i] = hold(held, arrays[i], *type, size, 1, "arrays");
    return PyErr_Occurred() ? -1 : size;
}

static PyObject *apply(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *what;
    int code, type;
    PyObject *arrays[3] = {Py_None, Py_None, Py_None};
    void *pointers[3] = {NULL};
    Held held = {0};
    if (!PyArg_ParseTuple(args, "siO|OO", &what, &code, arrays, arrays + 1, arrays + 2))
        return NULL;
    const Py_ssize_t size = same_size(&held, arrays, 3, pointers, &type);
    if (size >= 0 && !strcmp(what, "function"))
        kernels[type].function(code, pointers[0], size);
    else if (size >= 0 && pointers[1] && !strcmp(what, "forward"))
        kernels[type].forward(code, pointers[0], pointers[1], size);
    else if (size >= 0 && pointers[2] && !strcmp(what, "backward"))
        kernels[type].backward(code, pointers[0], pointers[1], pointers[2], size);
    else if (size >= 0)
        PyErr_SetString(PyExc_ValueError, "Got something else than function, forward and backward.");
    release(&held);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *loss_gradient(PyObject *Py_UNUSED(module), PyObject *args)
{
    int code, type;
    double setting;
    Py_ssize_t n_rows;
    PyObject *arrays[4], *values;
    void *pointers[4] = {NULL};
    Held held = {0};
    if (!PyArg_ParseTuple(args, "idnOOOOO", &code, &setting, &n_rows, arrays, arrays + 1, &values, arrays + 2, arrays + 3))
        return NULL;
    const Py_ssize_t size = same_size(&held, arrays, 4, pointers, &type);
    if (size >= 0 && n_rows > 0 && size % n_rows == 0) {
        void *losses = hold(&held, values, type, n_rows, 1, "values");
        if (losses)
            kernels[type].loss_gradient(code, setting, pointers[0], pointers[1], losses, pointers[2], pointers[3], n_rows,
                                        size / n_rows);
    }
    release(&held);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* The module ----------------------------------------------------------------------------------------------------------- */

static PyObject *targets(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    PyObject *names = PyList_New(0);
    for (int i = 0; names && i < N_TARGETS; i++) {
        PyObject *name = runs_here(i) ? PyUnicode_FromString(TARGETS[i].name) : NULL;
        if (name)
            PyList_Append(names, name);
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *use(PyObject *Py_UNUSED(module), PyObject *name)
{
    const char *wanted = PyUnicode_AsUTF8(name);
    for (int i = 0; wanted && i < N_TARGETS; i++)
        if (runs_here(i) && !strcmp(wanted, TARGETS[i].name)) {
            kernels = TARGETS[i].kernels;
            Py_RETURN_NONE;
        }
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "Got %R, for which this processor or this build has no kernels.", name);
    return NULL;
}

static PyObject *all_within(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t n_args)
{
    Py_buffer view;
    const double bound = n_args == 2 ? PyFloat_AsDouble(args[1]) : -1;
    if (n_args != 2)
        PyErr_SetString(PyExc_TypeError, "all_within takes 2 arguments.");
    if (PyErr_Occurred())
        return NULL;
    if (PyObject_GetBuffer(args[0], &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    const int type = type_of(&view), known = type >= 0 && (uintptr_t)view.buf % view.itemsize == 0;
    const int found = known && kernels[type].all_within(view.buf, view.len / view.itemsize, bound);
    PyBuffer_Release(&view);
    return known ? PyBool_FromLong(found) : Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {
    {"targets", targets, METH_NOARGS, "targets()\n--\n\nReturn the names of the kernels that run here, the fastest first."},
    {"use", use, METH_O, "use(target)\n--\n\nCompute with the kernels of that name."},
    {"apply", apply, METH_VARARGS, "apply(what, code, A, cache=None, delta=None)\n--\n\nApply a formula in place."},
    {"loss_gradient", loss_gradient, METH_VARARGS,
     "loss_gradient(code, setting, n_rows, Y, Z, values, gradient, scratch)\n--\n\nSee `Loss.loss_gradient`."},
    {"all_within", (PyCFunction)(void (*)(void))all_within, METH_FASTCALL,
     "all_within(array, bound)\n--\n\nReturn whether none of its numbers is larger in size, nor NaN, or None if it is no "
     "array of floats in C order."},
    {NULL},
};

/* Take a product from scipy's BLAS, whose capsules have their C declaration as name; one of 64-bit integers is refused. */
static void *product(PyObject *capsules, const char *name, const char *declaration)
{
    PyObject *capsule = PyDict_GetItemString(capsules, name);
    const char *found = capsule ? PyCapsule_GetName(capsule) : NULL;
    if (found && !strncmp(found, declaration, strlen(declaration)))
        return PyCapsule_GetPointer(capsule, found);
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ImportError, "scipy's BLAS has no %s with integers of 32 bits.", name);
    return NULL;
}

static int take_blas(void)
{
    static const char gemm[] = "void (char *, char *, int *, int *, int *, ", gemv[] = "void (char *, int *, int *, ";
    PyObject *module = PyImport_ImportModule("scipy.linalg.cython_blas");
    PyObject *capsules = module ? PyObject_GetAttrString(module, "__pyx_capi__") : NULL;
    int failed = !capsules;
    for (int type = 0; !failed && type < 2; type++) {
        *(void **)&blas[type].gemm = product(capsules, type ? "dgemm" : "sgemm", gemm);
        *(void **)&blas[type].gemv = product(capsules, type ? "dgemv" : "sgemv", gemv);
        failed = !blas[type].gemm || !blas[type].gemv;
    }
    Py_XDECREF(capsules);
    Py_XDECREF(module);
    return failed ? -1 : 0;
}

static int take_numpy(void)
{
    PyObject *numpy = PyImport_ImportModule("numpy");
    if (!numpy)
        return -1;
    ndarray_type = PyObject_GetAttrString(numpy, "ndarray");
    empty = PyObject_GetAttrString(numpy, "empty");
    for (int type = 0; type < 2; type++)
        dtypes[type] = PyObject_CallMethod(numpy, "dtype", "s", type ? "float64" : "float32");
    Py_DECREF(numpy);
    return ndarray_type && empty && dtypes[0] && dtypes[1] ? 0 : -1;
}

static int add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpec(spec);
    const int failed = !type || PyObject_SetAttrString(module, name, type);
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "skbackprop._engine._compiled",
    .m_doc = "The training loop and prediction in C; see `compiled`, which is what to import.", .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit__compiled(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (!module || take_blas() || take_numpy() || add_type(module, "Trainer", &Trainer_spec) ||
        add_type(module, "Predictor", &Predictor_spec)) {
        Py_XDECREF(module);
        return NULL;
    }
    for (int i = N_TARGETS - 1; i >= 0; i--)
        if (runs_here(i))
            kernels = TARGETS[i].kernels;
    return module;
}
