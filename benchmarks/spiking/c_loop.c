/* The limit: one thread, float32, the state of a step in cache order; nothing but what is needed. */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    int32_t n, n_exc, fan_out, rest, conductances;
    float dt, tau, V_rest, V_th, V_reset, drive, E_e, E_i, w_e, w_i, decay_e, decay_i;
} Net;

static inline void neurons(const Net *net, float *restrict V, float *restrict ge, float *restrict gi,
                           int32_t *restrict rest, uint8_t *restrict spikes, int conductances) {
    const Net copy = *net, *p = &copy; /* which no store can change: else nothing is vectorized */
    const float alone = expf(-p->dt / p->tau);
    for (int i = 0; i < p->n; i++) {
        float drive = p->V_rest + p->drive, change;
        if (conductances) {
            float total = 1 + ge[i] + gi[i];
            float end = (drive + ge[i] * p->E_e + gi[i] * p->E_i) / total;
            change = (end - V[i]) * (1 - expf(total * (-p->dt / p->tau)));
        } else {
            float end = drive + ge[i] + gi[i];
            change = (end - V[i]) * (1 - alone);
        }
        float new = V[i] + change * (rest[i] <= 0); /* a branch would not be vectorized */
        int spike = new >= p->V_th;
        spikes[i] = spike;
        V[i] = spike ? p->V_reset : new;
        rest[i] = spike ? p->rest : rest[i] - 1;
        ge[i] *= p->decay_e;
        gi[i] *= p->decay_i;
    }
}

static inline int64_t arrive(const Net *p, const int32_t *restrict targets, float *restrict ge,
                             float *restrict gi, const uint8_t *restrict spikes) {
    int64_t count = 0;
    for (int start = 0; start < p->n; start += 8) { /* spikes is padded to whole words with zeros */
        uint64_t word;
        memcpy(&word, spikes + start, 8);
        for (; word; word &= word - 1, count++) {
            int i = start + (__builtin_ctzll(word) >> 3);
            float *g = i < p->n_exc ? ge : gi, w = i < p->n_exc ? p->w_e : p->w_i;
            const int32_t *row = targets + (int64_t)i * p->fan_out;
            for (int k = 0; k < p->fan_out; k++) g[row[k]] += w;
        }
    }
    return count;
}

int64_t simulate(const Net *p, int64_t steps, const int32_t *targets, float *V, float *ge, float *gi,
                 int32_t *rest, uint8_t *spikes) {
    int64_t count = 0;
    for (int64_t step = 0; step < steps; step++) {
        if (p->conductances) neurons(p, V, ge, gi, rest, spikes, 1);
        else neurons(p, V, ge, gi, rest, spikes, 0);
        count += arrive(p, targets, ge, gi, spikes);
    }
    return count;
}
