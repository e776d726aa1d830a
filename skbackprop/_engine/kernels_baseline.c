/* For any processor. */
#define KERNELS kernels_baseline
#include "kernels.h"
